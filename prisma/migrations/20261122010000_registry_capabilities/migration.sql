-- Checks of registries: who asked for what, and what was found.
CREATE TABLE registry_check (
  id           uuid PRIMARY KEY,
  revision     bigint NOT NULL REFERENCES topology_revision (number),
  requested_by uuid NOT NULL REFERENCES principal (id),
  requested_at timestamptz NOT NULL DEFAULT now()
);

-- One registry of a check. Workers take these rows from here, without a queue between.
CREATE TABLE checked_registry (
  check_id         uuid NOT NULL REFERENCES registry_check (id),
  registry_id      uuid NOT NULL REFERENCES registry (id),
  -- Where a worker looks from: the registry's own location, if it has one.
  location         text NOT NULL,
  state            text NOT NULL CHECK (state IN ('queued', 'leased', 'finished')),
  attempts         integer NOT NULL DEFAULT 0,
  lease_holder     text,
  lease_fence      bigint NOT NULL DEFAULT 0,
  lease_expires_at timestamptz,
  -- What was found; or why nothing was.
  report           jsonb,
  error            jsonb,
  finished_at      timestamptz,
  PRIMARY KEY (check_id, registry_id),
  CHECK ((state = 'leased') = (lease_expires_at IS NOT NULL)),
  CHECK ((state = 'finished') = (finished_at IS NOT NULL)),
  CHECK ((state = 'finished') = (report IS NOT NULL OR error IS NOT NULL))
);
CREATE INDEX checked_registry_open_idx ON checked_registry (check_id, registry_id) WHERE state <> 'finished';
-- The newest report of a registry says what it can.
CREATE INDEX checked_registry_newest_idx ON checked_registry (registry_id, finished_at) WHERE report IS NOT NULL;
