-- What is beneath a manifest is asked for by parent and kind. With the child between them PostgreSQL 18 reckons with a step for each
-- child that there is, and reads the whole table of edges instead once it is large.
ALTER TABLE content_edge DROP CONSTRAINT content_edge_pkey, ADD PRIMARY KEY (parent, kind, child);
