-- The SQL is the authority; prisma/schema.prisma mirrors it and a test compares the two.
-- Digests are raw hashes: 32 bytes for SHA-256, 64 for SHA-512.

-- How a digest is written outside of the database (image-spec v1.1.1, descriptor.md).
CREATE FUNCTION digest_text(hash bytea) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE octet_length(hash) WHEN 32 THEN 'sha256:' ELSE 'sha512:' END || encode(hash, 'hex')
$$;

-- What came first, told by a number and not by a clock: a claim of a request and a write to a tag take the next one.
CREATE SEQUENCE order_of_events;

-- Who acts. Names of people stand in one erasable table; everything else holds ids.
CREATE TABLE principal (
  id         uuid PRIMARY KEY,
  kind       text NOT NULL CHECK (kind IN ('person', 'service', 'ci-workload')),
  issuer     text NOT NULL,
  subject    text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (issuer, subject)
);

CREATE TABLE principal_name (
  principal_id uuid PRIMARY KEY REFERENCES principal (id),
  display_name text NOT NULL
);

CREATE TABLE api_key (
  id           uuid PRIMARY KEY,
  principal_id uuid NOT NULL REFERENCES principal (id),
  hash         bytea NOT NULL,
  grants       jsonb NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now(),
  expires_at   timestamptz,
  revoked_at   timestamptz
);
CREATE INDEX api_key_principal_id_idx ON api_key (principal_id);

CREATE TABLE idempotency_key (
  principal_id     uuid NOT NULL REFERENCES principal (id),
  route            text NOT NULL,
  key              text NOT NULL,
  request_hash     bytea NOT NULL,
  -- A claim outlives its process by this much only; an answer is kept until expires_at.
  claim_token      uuid NOT NULL,
  claim_expires_at timestamptz NOT NULL,
  -- Whatever was read for the request was read after this point in the order of events.
  claim_order      bigint NOT NULL,
  status           integer,
  headers          jsonb,
  body             jsonb,
  expires_at       timestamptz NOT NULL,
  PRIMARY KEY (principal_id, route, key)
);
CREATE INDEX idempotency_key_expires_at_idx ON idempotency_key (expires_at);

-- What was declared, and which registry a name meant when.
CREATE TABLE topology_revision (
  number     bigint PRIMARY KEY,
  name       text NOT NULL,
  -- json and not jsonb, which would lose the order in which the file names things.
  document   json NOT NULL,
  source     text NOT NULL,
  hash       bytea NOT NULL,
  applied_by uuid NOT NULL REFERENCES principal (id),
  applied_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE registry (
  id             uuid PRIMARY KEY,
  name           text NOT NULL,
  role           text NOT NULL,
  -- Origin and prefix, or "local": a new one under the same name is a replacement, not an edit.
  identity       text NOT NULL,
  -- Where a local registry listens now: runtime state, never part of a revision.
  address        text,
  first_revision bigint NOT NULL REFERENCES topology_revision (number),
  replaced_at    timestamptz
);
CREATE UNIQUE INDEX registry_current_name_idx ON registry (name) WHERE replaced_at IS NULL;

-- Promotions.
CREATE TABLE promotion (
  id           uuid PRIMARY KEY,
  path         text NOT NULL,
  revision     bigint NOT NULL REFERENCES topology_revision (number),
  state        text NOT NULL CHECK (state IN ('requested', 'waiting', 'running', 'succeeded', 'partial', 'failed', 'rejected', 'cancelled', 'superseded')),
  requested_by uuid NOT NULL REFERENCES principal (id),
  on_behalf_of jsonb,
  reason       text,
  labels       jsonb NOT NULL DEFAULT '{}',
  external_ref text,
  intent       jsonb NOT NULL,
  intent_hash  bytea NOT NULL,
  estimate     jsonb NOT NULL,
  -- Why it was rejected; no state of its targets could say that.
  rejection    jsonb,
  requested_at timestamptz NOT NULL DEFAULT now(),
  finished_at  timestamptz
);

CREATE TABLE promotion_item (
  id                 uuid PRIMARY KEY,
  promotion_id       uuid NOT NULL REFERENCES promotion (id),
  position           integer NOT NULL,
  source_registry_id uuid NOT NULL REFERENCES registry (id),
  source_repository  text NOT NULL,
  source_tag         text,
  digest             bytea NOT NULL,
  media_type         text NOT NULL,
  -- Where the source tag pointed when the copy began, if it was no longer the pinned digest; NULL digest with a time: the tag was gone.
  source_moved_to    bytea,
  source_moved_at    timestamptz,
  UNIQUE (promotion_id, position)
);

CREATE TABLE item_target (
  id            uuid PRIMARY KEY,
  promotion_id  uuid NOT NULL REFERENCES promotion (id),
  item_id       uuid NOT NULL REFERENCES promotion_item (id),
  registry_id   uuid NOT NULL REFERENCES registry (id),
  location      text NOT NULL,
  repository    text NOT NULL,
  requirement   text NOT NULL CHECK (requirement IN ('required', 'best-effort')),
  -- A replica is tagged only after the target of its prod.
  follows       uuid REFERENCES item_target (id),
  state         text NOT NULL CHECK (state IN ('pending', 'copying', 'verifying', 'attesting', 'tagging', 'done')),
  outcome       text CHECK (outcome IN ('copied', 'mounted', 'already-present', 'conflict', 'failed', 'superseded', 'cancelled')),
  attempts      integer NOT NULL DEFAULT 0,
  due_at        timestamptz,
  -- Since when it is verified and waits for the target that it follows.
  waiting_since timestamptz,
  error         jsonb,
  -- What the last finished copy did for the content beneath the tags.
  content       text CHECK (content IN ('copied', 'mounted', 'already-present')),
  bytes_copied  bigint NOT NULL DEFAULT 0,
  bytes_mounted bigint NOT NULL DEFAULT 0,
  bytes_skipped bigint NOT NULL DEFAULT 0,
  started_at    timestamptz,
  finished_at   timestamptz,
  CHECK ((state = 'done') = (outcome IS NOT NULL))
);
CREATE INDEX item_target_promotion_id_idx ON item_target (promotion_id);
CREATE INDEX item_target_item_id_idx ON item_target (item_id);

-- The order of writes to one tag: tickets are given at request, never written out of order.
CREATE TABLE tag_order (
  registry_id      uuid NOT NULL REFERENCES registry (id),
  repository       text NOT NULL,
  tag              text NOT NULL,
  last_ticket      bigint NOT NULL,
  written_ticket   bigint NOT NULL DEFAULT 0,
  written_digest   bytea,
  -- When the digest was written, in the order of events.
  written_order    bigint,
  -- The run that writes the tag now: worker, promotion, location and the fence of its dispatch.
  lease_holder     text,
  lease_fence      bigint NOT NULL DEFAULT 0,
  lease_expires_at timestamptz,
  PRIMARY KEY (registry_id, repository, tag)
);

CREATE TABLE item_target_tag (
  item_target_id  uuid NOT NULL REFERENCES item_target (id),
  tag             text NOT NULL,
  ticket          bigint NOT NULL,
  -- Three-valued: a digest, absent, or unknown until the target is first reachable.
  expected        text NOT NULL CHECK (expected IN ('digest', 'absent', 'unknown')),
  expected_digest bytea,
  -- What is expected was read after this point in the order of events.
  expected_order  bigint NOT NULL,
  outcome         text CHECK (outcome IN ('written', 'already-present', 'conflict', 'superseded')),
  found_digest    bytea,
  PRIMARY KEY (item_target_id, tag),
  CHECK ((expected = 'digest') = (expected_digest IS NOT NULL))
);

-- One job per promotion and target location; the queue only carries its number.
CREATE TABLE dispatch (
  promotion_id     uuid NOT NULL REFERENCES promotion (id),
  location         text NOT NULL,
  -- Raised when the job of this number has had its run, or its worker died: until then the same job is sent again.
  number           bigint NOT NULL,
  -- queued: a job was or will be given to the queue. leased: a worker runs it.
  -- parked: waits for targets elsewhere. finished: nothing is left to do here.
  state            text NOT NULL CHECK (state IN ('queued', 'leased', 'parked', 'finished')),
  due_at           timestamptz,
  -- Of one that is queued: since when a worker may take it.
  queued_at        timestamptz,
  lease_holder     text,
  lease_fence      bigint NOT NULL DEFAULT 0,
  lease_expires_at timestamptz,
  PRIMARY KEY (promotion_id, location)
);
CREATE INDEX dispatch_due_at_idx ON dispatch (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE outbox (
  id         bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  topic      text NOT NULL,
  payload    jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX outbox_payload_idx ON outbox (payload);

-- Durable changes at registries: written as intended before they are sent, settled from read-back.
CREATE TABLE effect (
  id              uuid PRIMARY KEY,
  promotion_id    uuid NOT NULL REFERENCES promotion (id),
  item_target_id  uuid NOT NULL REFERENCES item_target (id),
  kind            text NOT NULL CHECK (kind IN ('manifest', 'referrer', 'tag', 'deletion')),
  registry_id     uuid NOT NULL REFERENCES registry (id),
  repository      text NOT NULL,
  digest          bytea NOT NULL,
  tag             text NOT NULL DEFAULT '',
  previous_digest bytea,
  state           text NOT NULL CHECK (state IN ('intended', 'settled')),
  outcome         text CHECK (outcome IN ('written', 'not-written', 'overwritten')),
  observed_digest bytea,
  intended_at     timestamptz NOT NULL DEFAULT now(),
  settled_at      timestamptz,
  UNIQUE (item_target_id, kind, digest, tag),
  CHECK ((state = 'settled') = (outcome IS NOT NULL))
);
CREATE INDEX effect_unsettled_idx ON effect (intended_at) WHERE state = 'intended';

-- The record of effects and decisions. Many append; one sequencer links.
CREATE TABLE provenance_record (
  id           bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  kind         text NOT NULL CHECK (kind IN ('effect', 'decision')),
  promotion_id uuid NOT NULL REFERENCES promotion (id),
  subject      bytea NOT NULL,
  effect_id    uuid UNIQUE REFERENCES effect (id),
  body         jsonb NOT NULL,
  occurred_at  timestamptz NOT NULL DEFAULT now(),
  CHECK ((kind = 'effect') = (effect_id IS NOT NULL))
);
CREATE INDEX provenance_record_subject_idx ON provenance_record (subject, id);
CREATE INDEX provenance_record_promotion_id_idx ON provenance_record (promotion_id, id);

CREATE TABLE provenance_unchained (
  record_id bigint PRIMARY KEY REFERENCES provenance_record (id)
);

CREATE TABLE provenance_chain (
  sequence      bigint PRIMARY KEY,
  record_id     bigint NOT NULL UNIQUE REFERENCES provenance_record (id),
  previous_hash bytea NOT NULL,
  hash          bytea NOT NULL,
  chained_at    timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION provenance_note_unchained() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO provenance_unchained (record_id) VALUES (NEW.id);
  RETURN NULL;
END $$;
CREATE TRIGGER provenance_record_unchained AFTER INSERT ON provenance_record
  FOR EACH ROW EXECUTE FUNCTION provenance_note_unchained();

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'table % is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER provenance_record_append_only BEFORE UPDATE OR DELETE ON provenance_record
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER provenance_record_no_truncate BEFORE TRUNCATE ON provenance_record
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER provenance_chain_append_only BEFORE UPDATE OR DELETE ON provenance_chain
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER provenance_chain_no_truncate BEFORE TRUNCATE ON provenance_chain
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What is where, as our own effects have shown it; crawls will add to it.
CREATE TABLE content (
  digest     bytea PRIMARY KEY,
  media_type text NOT NULL,
  size       bigint NOT NULL
);

CREATE TABLE content_edge (
  parent bytea NOT NULL REFERENCES content (digest),
  child  bytea NOT NULL REFERENCES content (digest),
  kind   text NOT NULL CHECK (kind IN ('child', 'subject')),
  PRIMARY KEY (parent, child, kind)
);
CREATE INDEX content_edge_child_idx ON content_edge (child);

CREATE TABLE placement (
  registry_id uuid NOT NULL REFERENCES registry (id),
  repository  text NOT NULL,
  digest      bytea NOT NULL REFERENCES content (digest),
  seen_from   timestamptz NOT NULL DEFAULT now(),
  seen_until  timestamptz,
  -- The item-target whose run first saw it there.
  seen_by     uuid NOT NULL,
  PRIMARY KEY (registry_id, repository, digest, seen_from)
);
CREATE UNIQUE INDEX placement_open_idx ON placement (registry_id, repository, digest) WHERE seen_until IS NULL;
CREATE INDEX placement_digest_idx ON placement (digest);

CREATE TABLE tag_event (
  id              bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  registry_id     uuid NOT NULL REFERENCES registry (id),
  repository      text NOT NULL,
  tag             text NOT NULL,
  digest          bytea,
  previous_digest bytea,
  effect_id       uuid REFERENCES effect (id),
  observed_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX tag_event_tag_idx ON tag_event (registry_id, repository, tag, id);

-- Recurring work, claimed with SKIP LOCKED by whichever process polls first.
CREATE TABLE schedule (
  name        text PRIMARY KEY,
  every       interval NOT NULL,
  next_due_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO schedule (name, every) VALUES ('purge-idempotency-keys', interval '10 minutes');
