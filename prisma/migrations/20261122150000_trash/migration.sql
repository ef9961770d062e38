-- The trash: what it holds of each deleted manifest, who brings it back, and who empties it.

ALTER TABLE retention_trash
  -- Since when its content is held; before that nothing of it may be deleted.
  ADD COLUMN kept_at          timestamptz,
  -- The open restore that it waits for: until then it is not emptied.
  ADD COLUMN wanted_by        uuid,
  -- When the last of its content left the trash; only after it was restored or emptied out.
  ADD COLUMN cleared_at       timestamptz,
  ADD COLUMN lease_holder     text,
  ADD COLUMN lease_fence      bigint NOT NULL DEFAULT 0,
  ADD COLUMN lease_expires_at timestamptz,
  ADD CHECK (cleared_at IS NULL OR restored_at IS NOT NULL OR emptied_at IS NOT NULL),
  ADD CHECK (cleared_at IS NULL OR lease_expires_at IS NULL);
CREATE INDEX retention_trash_leftover_idx ON retention_trash (registry_id, repository) WHERE cleared_at IS NULL;
CREATE INDEX retention_trash_clear_idx ON retention_trash (expires_at) WHERE cleared_at IS NULL;
CREATE INDEX retention_trash_run_id_id_idx ON retention_trash (run_id, id);

-- The manifests that a row holds in the trash, itself and those beneath it; and those that it says something about.
CREATE TABLE retention_trash_link (
  trash_id uuid NOT NULL REFERENCES retention_trash (id),
  kind     text NOT NULL CHECK (kind IN ('holds', 'refers')),
  digest   bytea NOT NULL,
  -- What lists others stands before them.
  position integer NOT NULL,
  PRIMARY KEY (trash_id, kind, digest)
);
CREATE INDEX retention_trash_link_digest_kind_idx ON retention_trash_link (digest, kind);

-- What somebody asked for at once, whatever the policies say: to bring something back, or to delete it for good.
CREATE TABLE retention_request (
  id               uuid PRIMARY KEY,
  kind             text NOT NULL CHECK (kind IN ('restore', 'purge')),
  registry_id      uuid NOT NULL REFERENCES registry (id),
  -- A digest or a tag of a repository, a digest of every repository, or a run.
  asked            jsonb NOT NULL,
  requested_by     uuid NOT NULL REFERENCES principal (id),
  reason           text NOT NULL,
  state            text NOT NULL CHECK (state IN ('requested', 'running', 'succeeded', 'partial', 'failed')),
  attempts         integer NOT NULL DEFAULT 0,
  -- Tried again from then on.
  due_at           timestamptz NOT NULL DEFAULT now(),
  lease_holder     text,
  lease_fence      bigint NOT NULL DEFAULT 0,
  lease_expires_at timestamptz,
  error            jsonb,
  requested_at     timestamptz NOT NULL DEFAULT now(),
  started_at       timestamptz,
  finished_at      timestamptz,
  CHECK ((state IN ('succeeded', 'partial', 'failed')) = (finished_at IS NOT NULL)),
  CHECK (finished_at IS NULL OR lease_expires_at IS NULL)
);
CREATE INDEX retention_request_due_idx ON retention_request (due_at) WHERE finished_at IS NULL;
CREATE INDEX retention_request_kind_id_idx ON retention_request (kind, id);

ALTER TABLE retention_trash ADD FOREIGN KEY (wanted_by) REFERENCES retention_request (id);
CREATE INDEX retention_trash_wanted_by_idx ON retention_trash (wanted_by) WHERE wanted_by IS NOT NULL;

CREATE TABLE retention_request_item (
  request_id uuid NOT NULL REFERENCES retention_request (id),
  repository text NOT NULL,
  digest     bytea NOT NULL,
  -- What is brought back.
  trash_id   uuid REFERENCES retention_trash (id),
  -- intended: it is about to be deleted, or was and nobody has looked yet.
  state      text NOT NULL CHECK (state IN ('pending', 'intended', 'done', 'failed')),
  -- What became of each tag.
  outcome    jsonb NOT NULL DEFAULT '{}',
  error      jsonb,
  settled_at timestamptz,
  PRIMARY KEY (request_id, repository, digest),
  CHECK ((state IN ('done', 'failed')) = (settled_at IS NOT NULL))
);
CREATE INDEX retention_request_item_open_idx ON retention_request_item (request_id, repository) WHERE settled_at IS NULL;
CREATE INDEX retention_request_item_trash_id_idx ON retention_request_item (trash_id);
