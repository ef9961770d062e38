-- Principals are named by their subject alone, too.
CREATE INDEX principal_subject_idx ON principal (subject);
