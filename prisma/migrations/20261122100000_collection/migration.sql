-- To give space back: offline collections of local registries. Copying to a registry and collecting it exclude each other, and
-- what was known to be in a registry before a collection counts for nothing afterwards.

-- Raised when a collection begins to remove, and once more when it has ended: nothing that was seen meanwhile counts either.
ALTER TABLE registry ADD COLUMN epoch bigint NOT NULL DEFAULT 0;

-- The registry's epoch when the content was last seen there: with an older one it is a place to look at, and no proof of presence.
ALTER TABLE placement ADD COLUMN epoch bigint NOT NULL DEFAULT 0;

-- Written by a trigger, so that no writer can forget it.
CREATE FUNCTION note_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  SELECT epoch INTO NEW.epoch FROM registry WHERE id = NEW.registry_id;
  RETURN NEW;
END $$;
CREATE TRIGGER placement_epoch BEFORE INSERT ON placement FOR EACH ROW EXECUTE FUNCTION note_epoch();

-- A collection pauses what is to be brought to its registry; only its end ends that pause.
ALTER TABLE pause DROP CONSTRAINT pause_scope_check;
ALTER TABLE pause ADD CONSTRAINT pause_scope_check CHECK (scope IN ('global', 'path', 'registry', 'collection'));

-- As before, and a collection of the registry that the target stands for. Reading from a registry that is collected goes on.
CREATE OR REPLACE FUNCTION pause_of(target uuid) RETURNS uuid LANGUAGE sql STABLE STRICT AS $$
  SELECT p.id
  FROM item_target t JOIN promotion o ON o.id = t.promotion_id JOIN promotion_item i ON i.id = t.item_id
    JOIN registry r ON r.id = t.registry_id JOIN registry s ON s.id = i.source_registry_id
    JOIN pause p ON p.resumed_at IS NULL
      AND (p.scope = 'global' OR (p.scope = 'path' AND p.name = o.path) OR (p.scope = 'registry' AND p.name IN (r.name, s.name))
        OR (p.scope = 'collection' AND p.name = r.name))
  WHERE t.id = target
  ORDER BY p.paused_at, p.id LIMIT 1
$$;

-- One collection of one registry. The worker beside the registry's supervisor takes these rows from here, without a queue between.
CREATE TABLE collection (
  id               uuid PRIMARY KEY,
  registry_id      uuid NOT NULL REFERENCES registry (id),
  requested_by     uuid NOT NULL REFERENCES principal (id),
  requested_at     timestamptz NOT NULL DEFAULT now(),
  reason           text NOT NULL,
  -- Says what a collection would remove, and removes nothing.
  is_dry_run       boolean NOT NULL,
  state            text NOT NULL CHECK (state IN
    ('requested', 'draining', 'read-only', 'collecting', 'restarting', 'complete', 'failed', 'refused')),
  -- What keeps copies away, from `draining` to the end.
  pause_id         uuid REFERENCES pause (id),
  -- Copies that run still by then make it give up.
  drain_until      timestamptz,
  -- The registry's, as this collection raised it.
  epoch            bigint,
  -- Of the registry's storage. A dry run says what would be left.
  bytes_before     bigint,
  bytes_after      bigint,
  blobs            bigint,
  -- The last lines of what the program said.
  log              text,
  error            jsonb,
  started_at       timestamptz,
  finished_at      timestamptz,
  lease_holder     text,
  lease_fence      bigint NOT NULL DEFAULT 0,
  lease_expires_at timestamptz,
  CHECK ((state IN ('complete', 'failed', 'refused')) = (finished_at IS NOT NULL)),
  CHECK ((state IN ('failed', 'refused')) = (error IS NOT NULL)),
  CHECK (state <> 'complete' OR (bytes_before IS NOT NULL AND bytes_after IS NOT NULL)),
  CHECK (finished_at IS NULL OR lease_expires_at IS NULL),
  -- Nothing is removed where copies are not kept away.
  CHECK (state NOT IN ('draining', 'read-only', 'restarting') OR pause_id IS NOT NULL),
  CHECK (state <> 'collecting' OR is_dry_run OR pause_id IS NOT NULL)
);
CREATE UNIQUE INDEX collection_unfinished_idx ON collection (registry_id) WHERE finished_at IS NULL;
CREATE INDEX collection_registry_id_id_idx ON collection (registry_id, id);

-- What a worker may be doing at a registry just now.
CREATE INDEX item_target_begun_idx ON item_target (registry_id) WHERE state NOT IN ('pending', 'done');
