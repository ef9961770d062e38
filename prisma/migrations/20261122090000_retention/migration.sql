-- What registries keep: when policies run, who approved them, what runs decided, and what nobody may remove.
-- Policies are kept as json and not as jsonb, which would lose the order that their hash covers.

-- One row per policy that was ever declared, as the topology declared it last.
CREATE TABLE retention_schedule (
  policy       text PRIMARY KEY,
  registry_id  uuid NOT NULL REFERENCES registry (id),
  revision     bigint NOT NULL REFERENCES topology_revision (number),
  policy_hash  bytea NOT NULL,
  snapshot     json NOT NULL,
  -- Null where nothing is to run by itself: the policy is disabled, or has left the topology.
  next_due_at  timestamptz,
  -- The time that was due when a tick was taken last, and what came of it.
  last_tick_at timestamptz,
  last_tick    text CHECK (last_tick IN ('run', 'overlap', 'too-late')),
  paused_at    timestamptz,
  paused_by    uuid REFERENCES principal (id),
  pause_reason text,
  retired_at   timestamptz,
  CHECK ((last_tick_at IS NULL) = (last_tick IS NULL)),
  CHECK ((paused_at IS NULL) = (paused_by IS NULL) AND (paused_at IS NULL) = (pause_reason IS NULL)),
  CHECK (retired_at IS NULL OR next_due_at IS NULL)
);
CREATE INDEX retention_schedule_due_idx ON retention_schedule (next_due_at) WHERE next_due_at IS NOT NULL AND paused_at IS NULL;

CREATE TABLE retention_run (
  id                  uuid PRIMARY KEY,
  policy              text NOT NULL,
  -- What the policy's registry and words were when the run began: it is held to them.
  registry_id         uuid NOT NULL REFERENCES registry (id),
  revision            bigint NOT NULL REFERENCES topology_revision (number),
  policy_hash         bytea NOT NULL,
  snapshot            json NOT NULL,
  trigger             text NOT NULL CHECK (trigger IN ('schedule', 'manual')),
  -- Of a run that somebody asked for.
  requested_by        uuid REFERENCES principal (id),
  reason              text,
  -- Which decisions get a row: those to remove something, or those to keep it too.
  detail              text NOT NULL DEFAULT 'removals' CHECK (detail IN ('removals', 'all')),
  mode                text NOT NULL CHECK (mode IN ('dryRun', 'enforce')),
  state               text NOT NULL CHECK (state IN ('planning', 'planned', 'waiting-approval', 'marking', 'grace', 'deleting', 'succeeded', 'partial', 'failed', 'cancelled')),
  plan_hash           bytea,
  repositories        bigint NOT NULL DEFAULT 0,
  artifacts           bigint NOT NULL DEFAULT 0,
  removals            bigint NOT NULL DEFAULT 0,
  unknown             bigint NOT NULL DEFAULT 0,
  -- At most so many bytes are reclaimed: blobs may be shared with what stays.
  bytes_at_most       bigint NOT NULL DEFAULT 0,
  -- The limits of the policy that the plan goes beyond.
  exceeded            jsonb,
  -- Somebody let this very plan go beyond them.
  plan_approved_by    uuid REFERENCES principal (id),
  plan_approved_at    timestamptz,
  plan_approve_reason text,
  attempts            integer NOT NULL DEFAULT 0,
  lease_holder        text,
  lease_fence         bigint NOT NULL DEFAULT 0,
  lease_expires_at    timestamptz,
  error               jsonb,
  requested_at        timestamptz NOT NULL DEFAULT now(),
  started_at          timestamptz,
  planned_at          timestamptz,
  finished_at         timestamptz,
  CHECK ((trigger = 'manual') = (requested_by IS NOT NULL)),
  CHECK ((plan_approved_at IS NULL) = (plan_approved_by IS NULL)),
  CHECK ((planned_at IS NULL) = (plan_hash IS NULL)),
  CHECK ((state IN ('succeeded', 'partial', 'failed', 'cancelled')) = (finished_at IS NOT NULL)),
  CHECK (finished_at IS NULL OR lease_expires_at IS NULL)
);
-- Runs of one policy never overlap.
CREATE UNIQUE INDEX retention_run_open_idx ON retention_run (policy) WHERE finished_at IS NULL;
CREATE INDEX retention_run_policy_id_idx ON retention_run (policy, id);

-- One repository of a run: planned and executed on its own, so that its trouble is its own.
CREATE TABLE retention_run_repository (
  run_id        uuid NOT NULL REFERENCES retention_run (id),
  repository    text NOT NULL,
  -- pending: nothing is decided. planned: all of its decisions are there. unplanned: everything is kept, for the reason in error.
  state         text NOT NULL CHECK (state IN ('pending', 'planned', 'unplanned', 'marking', 'grace', 'deleting', 'done', 'failed')),
  plan_hash     bytea,
  artifacts     bigint NOT NULL DEFAULT 0,
  removals      bigint NOT NULL DEFAULT 0,
  bytes_at_most bigint NOT NULL DEFAULT 0,
  -- How many manifests are kept, by their first reason; and how many of them for want of knowledge alone.
  kept          jsonb NOT NULL DEFAULT '{}',
  unknown       bigint NOT NULL DEFAULT 0,
  error         jsonb,
  finished_at   timestamptz,
  PRIMARY KEY (run_id, repository)
);

CREATE TABLE retention_decision (
  run_id     uuid NOT NULL,
  repository text NOT NULL,
  -- Its place in the repository's plan, which is executed in this order.
  position   integer NOT NULL,
  digest     bytea NOT NULL,
  -- Of one tag; empty for the manifest.
  tag        text NOT NULL DEFAULT '',
  verdict    text NOT NULL CHECK (verdict IN ('keep', 'delete', 'archive', 'untag')),
  -- Registries that must hold a verified copy first.
  archive_to jsonb NOT NULL DEFAULT '[]',
  reasons    jsonb NOT NULL,
  -- Kept for want of knowledge alone.
  is_unknown boolean NOT NULL DEFAULT false,
  -- Of the manifest and the blobs that it names itself, shared or not.
  bytes      bigint NOT NULL,
  -- No reference: a check for each of a million rows would take longer than to plan them.
  PRIMARY KEY (run_id, repository, position)
);
CREATE INDEX retention_decision_digest_idx ON retention_decision (digest, run_id);

-- What a repository's plan says stays said. Only a plan that broke off is written anew.
CREATE FUNCTION refuse_planned_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM retention_run_repository WHERE run_id = OLD.run_id AND repository = OLD.repository AND state <> 'pending') THEN
    RAISE EXCEPTION 'the decisions of a plan are append-only' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN OLD;
END $$;
CREATE TRIGGER retention_decision_kept BEFORE DELETE ON retention_decision FOR EACH ROW EXECUTE FUNCTION refuse_planned_change();
CREATE TRIGGER retention_decision_unchanged BEFORE UPDATE ON retention_decision FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER retention_decision_no_truncate BEFORE TRUNCATE ON retention_decision FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Binds to the words of a policy and to the very registry: what changes either needs another approval.
CREATE TABLE retention_approval (
  id            uuid PRIMARY KEY,
  policy        text NOT NULL,
  registry_id   uuid NOT NULL REFERENCES registry (id),
  policy_hash   bytea NOT NULL,
  snapshot      json NOT NULL,
  -- The run whose plan was looked at.
  run_id        uuid NOT NULL REFERENCES retention_run (id),
  reason        text NOT NULL,
  approved_by   uuid NOT NULL REFERENCES principal (id),
  approved_at   timestamptz NOT NULL DEFAULT now(),
  revoked_by    uuid REFERENCES principal (id),
  revoked_at    timestamptz,
  revoke_reason text,
  CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
);
CREATE UNIQUE INDEX retention_approval_open_idx ON retention_approval (policy, registry_id, policy_hash) WHERE revoked_at IS NULL;
CREATE INDEX retention_approval_policy_id_idx ON retention_approval (policy, id);

-- What a run is about to delete, and the manifest with which it could be brought back.
CREATE TABLE retention_mark (
  registry_id uuid NOT NULL REFERENCES registry (id),
  repository  text NOT NULL,
  digest      bytea NOT NULL,
  run_id      uuid NOT NULL REFERENCES retention_run (id),
  media_type  text NOT NULL,
  manifest    bytea NOT NULL,
  marked_at   timestamptz NOT NULL DEFAULT now(),
  due_at      timestamptz NOT NULL,
  state       text NOT NULL CHECK (state IN ('marked', 'deleting', 'deleted', 'spared', 'failed')),
  -- Why it was spared or could not be deleted.
  error       jsonb,
  settled_at  timestamptz,
  PRIMARY KEY (registry_id, repository, digest, run_id),
  CHECK ((state IN ('marked', 'deleting')) = (settled_at IS NULL))
);
CREATE UNIQUE INDEX retention_mark_open_idx ON retention_mark (registry_id, repository, digest) WHERE settled_at IS NULL;
CREATE INDEX retention_mark_due_idx ON retention_mark (due_at) WHERE settled_at IS NULL;
CREATE INDEX retention_mark_run_id_idx ON retention_mark (run_id);

-- What was deleted, and may come back until it expires.
CREATE TABLE retention_trash (
  id               uuid PRIMARY KEY,
  registry_id      uuid NOT NULL REFERENCES registry (id),
  repository       text NOT NULL,
  digest           bytea NOT NULL,
  run_id           uuid NOT NULL REFERENCES retention_run (id),
  media_type       text NOT NULL,
  manifest         bytea NOT NULL,
  -- The tags that named it when it was deleted.
  tags             jsonb NOT NULL DEFAULT '[]',
  -- Where its blobs are held meanwhile; null where nothing holds them.
  trash_repository text,
  deleted_at       timestamptz NOT NULL DEFAULT now(),
  expires_at       timestamptz NOT NULL,
  restored_at      timestamptz,
  restored_by      uuid REFERENCES principal (id),
  -- When it was emptied out.
  emptied_at       timestamptz,
  CHECK (restored_at IS NULL OR emptied_at IS NULL)
);
CREATE UNIQUE INDEX retention_trash_open_idx ON retention_trash (registry_id, repository, digest) WHERE restored_at IS NULL AND emptied_at IS NULL;
CREATE INDEX retention_trash_expires_idx ON retention_trash (expires_at) WHERE restored_at IS NULL AND emptied_at IS NULL;
CREATE INDEX retention_trash_digest_idx ON retention_trash (digest);

-- What nobody may remove, by name: a hold outlives the registry that it was placed on.
CREATE TABLE hold (
  id             uuid PRIMARY KEY,
  scope          text NOT NULL CHECK (scope IN ('digest', 'tag', 'repository')),
  -- Empty: in every registry.
  registry       text NOT NULL DEFAULT '',
  -- Empty, for a digest only: in every repository.
  repository     text NOT NULL DEFAULT '',
  tag            text NOT NULL DEFAULT '',
  digest         bytea,
  reason         text NOT NULL,
  placed_by      uuid NOT NULL REFERENCES principal (id),
  placed_at      timestamptz NOT NULL DEFAULT now(),
  expires_at     timestamptz,
  released_by    uuid REFERENCES principal (id),
  released_at    timestamptz,
  release_reason text,
  CHECK ((scope = 'digest') = (digest IS NOT NULL)),
  CHECK ((scope = 'tag') = (tag <> '')),
  CHECK (scope = 'digest' OR repository <> ''),
  CHECK ((released_at IS NULL) = (released_by IS NULL))
);
CREATE INDEX hold_repository_idx ON hold (repository) WHERE released_at IS NULL;
CREATE INDEX hold_digest_idx ON hold (digest) WHERE released_at IS NULL AND digest IS NOT NULL;

-- Who tells which digests run somewhere. One that is silent for too long makes what it covers unknown.
CREATE TABLE in_use_reporter (
  name           text PRIMARY KEY,
  kind           text NOT NULL,
  -- Whose reports count.
  principal_id   uuid NOT NULL REFERENCES principal (id),
  -- Patterns over names of registries and of repositories.
  registries     jsonb NOT NULL,
  repositories   jsonb NOT NULL,
  -- It reports at least this often; silent for more than three times as long it is missed.
  every_ms       bigint NOT NULL CHECK (every_ms > 0),
  since          timestamptz NOT NULL DEFAULT now(),
  last_report_at timestamptz NOT NULL DEFAULT now(),
  retired_at     timestamptz,
  retired_by     uuid REFERENCES principal (id),
  retire_reason  text,
  CHECK ((retired_at IS NULL) = (retired_by IS NULL) AND (retired_at IS NULL) = (retire_reason IS NULL))
);

CREATE TABLE in_use_digest (
  reporter          text NOT NULL REFERENCES in_use_reporter (name),
  digest            bytea NOT NULL,
  -- Where it was pulled from, as far as the reporter could tell; empty: anywhere.
  registry          text NOT NULL DEFAULT '',
  repository        text NOT NULL DEFAULT '',
  first_reported_at timestamptz NOT NULL DEFAULT now(),
  last_reported_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (reporter, digest, registry, repository)
);
CREATE INDEX in_use_digest_digest_idx ON in_use_digest (digest);

-- What people decided of retention, in order.
CREATE TABLE retention_record (
  id          bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  act         text NOT NULL CHECK (act IN ('approved', 'revoked', 'plan-approved', 'paused', 'resumed', 'run-requested', 'run-cancelled', 'held', 'released', 'reporter-retired', 'restored', 'purged')),
  -- What it is about: the name of a policy or a reporter, or an id.
  subject     text NOT NULL,
  decided_by  uuid NOT NULL REFERENCES principal (id),
  reason      text,
  body        jsonb NOT NULL DEFAULT '{}',
  occurred_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX retention_record_subject_idx ON retention_record (subject, id);
CREATE TRIGGER retention_record_append_only BEFORE UPDATE OR DELETE ON retention_record
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER retention_record_no_truncate BEFORE TRUNCATE ON retention_record
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
