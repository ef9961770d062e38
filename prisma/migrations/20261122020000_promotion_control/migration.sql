-- What people decide about promotions under way: to cancel one, to try again what did not arrive, to hold paths or registries still.

-- There is at most one: a retry takes it back, and the record keeps both decisions.
CREATE TABLE promotion_cancellation (
  promotion_id uuid PRIMARY KEY REFERENCES promotion (id),
  requested_by uuid NOT NULL REFERENCES principal (id),
  reason       text,
  requested_at timestamptz NOT NULL DEFAULT now()
);

-- A freeze. What it covers is neither begun nor tagged until it is resumed.
CREATE TABLE pause (
  id            uuid PRIMARY KEY,
  scope         text NOT NULL CHECK (scope IN ('global', 'path', 'registry')),
  -- Of the path or the registry; empty where everything is meant.
  name          text NOT NULL DEFAULT '',
  reason        text NOT NULL,
  paused_by     uuid NOT NULL REFERENCES principal (id),
  paused_at     timestamptz NOT NULL DEFAULT now(),
  resumed_by    uuid REFERENCES principal (id),
  resumed_at    timestamptz,
  resume_reason text,
  CHECK ((scope = 'global') = (name = '')),
  CHECK ((resumed_at IS NULL) = (resumed_by IS NULL)),
  CHECK (resumed_at IS NOT NULL OR resume_reason IS NULL)
);
-- Two that mean the same would have to be resumed twice.
CREATE UNIQUE INDEX pause_open_idx ON pause (scope, name) WHERE resumed_at IS NULL;

-- The pause that a worker met at this target, and since when the target waits for it. The dispatch is parked meanwhile.
ALTER TABLE item_target
  ADD COLUMN held_by uuid REFERENCES pause (id),
  ADD COLUMN held_since timestamptz,
  ADD CHECK ((held_by IS NULL) = (held_since IS NULL));
CREATE INDEX item_target_held_by_idx ON item_target (held_by) WHERE held_by IS NOT NULL;

-- The pause that covers a target now, the oldest one if there are several: of its promotion's path, of the registry it
-- stands for or of the one that it is fed from. Null when it may go on.
CREATE FUNCTION pause_of(target uuid) RETURNS uuid LANGUAGE sql STABLE STRICT AS $$
  SELECT p.id
  FROM item_target t JOIN promotion o ON o.id = t.promotion_id JOIN promotion_item i ON i.id = t.item_id
    JOIN registry r ON r.id = t.registry_id JOIN registry s ON s.id = i.source_registry_id
    JOIN pause p ON p.resumed_at IS NULL
      AND (p.scope = 'global' OR (p.scope = 'path' AND p.name = o.path) OR (p.scope = 'registry' AND p.name IN (r.name, s.name)))
  WHERE t.id = target
  ORDER BY p.paused_at, p.id LIMIT 1
$$;

-- One row per effect. What was read back as not written did not happen: a retry that intends it again intends another effect.
ALTER TABLE effect DROP CONSTRAINT effect_item_target_id_kind_digest_tag_key;
CREATE UNIQUE INDEX effect_once_idx ON effect (item_target_id, kind, digest, tag) WHERE outcome IS DISTINCT FROM 'not-written';
CREATE INDEX effect_item_target_id_idx ON effect (item_target_id);
