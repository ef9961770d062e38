-- What registries tell of themselves. It is a hint: what is to be known of it is asked of the registry.

-- How well a registry is heard. That something was not pulled is known only over a time of which nothing was lost.
CREATE TABLE notification_feed (
  registry_id  uuid PRIMARY KEY REFERENCES registry (id),
  -- Where a worker asks from: the registry's own location, if it has one.
  location     text NOT NULL,
  -- Who is not heard for so long may have lost something.
  silence      interval NOT NULL,
  next_beat_at timestamptz NOT NULL DEFAULT now(),
  -- When the last heartbeat was sent that the registry told of, and the first of them since the last gap.
  heard_at     timestamptz,
  known_since  timestamptz,
  gap_at       timestamptz NOT NULL DEFAULT now(),
  gap_reason   text NOT NULL DEFAULT 'begun' CHECK (gap_reason IN ('begun', 'instance', 'silence', 'heartbeat', 'unreadable', 'overflow')),
  gaps         bigint NOT NULL DEFAULT 0,
  CHECK (known_since > gap_at AND known_since <= heard_at)
);

-- A process of a registry, by the id that it gave itself when it started.
CREATE TABLE notification_instance (
  registry_id    uuid NOT NULL REFERENCES registry (id),
  id             text NOT NULL,
  first_heard_at timestamptz NOT NULL DEFAULT now(),
  last_heard_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (registry_id, id)
);

-- A read of ours that the registry has not told of yet.
CREATE TABLE notification_heartbeat (
  id          uuid PRIMARY KEY,
  registry_id uuid NOT NULL REFERENCES registry (id),
  sent_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- When the registry had served it: from then on it is to be told of.
  answered_at timestamptz
);
CREATE INDEX notification_heartbeat_registry_id_idx ON notification_heartbeat (registry_id);

-- What was taken in, so that it counts once however often it is sent. Kept for a day.
CREATE TABLE notification_event (
  registry_id uuid NOT NULL REFERENCES registry (id),
  id          text NOT NULL,
  heard_at    timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (registry_id, id)
);
CREATE INDEX notification_event_heard_at_idx ON notification_event (heard_at);

-- A tag or digest that a worker is to ask the registry about: one row, however often it was told of.
CREATE TABLE notification_hint (
  registry_id uuid NOT NULL REFERENCES registry (id),
  repository  text NOT NULL,
  reference   text NOT NULL,
  location    text NOT NULL,
  -- When each was told of last.
  pushed_at   timestamptz,
  pulled_at   timestamptz,
  deleted_at  timestamptz,
  -- Raised whenever it is told of again: what a worker found before then does not end it.
  version     bigint NOT NULL DEFAULT 0,
  -- Some later, so that what is pushed together is asked for together. A worker that takes it puts it off.
  due_at      timestamptz NOT NULL DEFAULT now() + interval '1 second',
  -- Raised with every claim, so it fences.
  attempts    integer NOT NULL DEFAULT 0,
  PRIMARY KEY (registry_id, repository, reference),
  CHECK (num_nonnulls(pushed_at, pulled_at, deleted_at) > 0)
);
CREATE INDEX notification_hint_due_at_idx ON notification_hint (due_at);

INSERT INTO schedule (name, every) VALUES ('purge-notification-events', interval '10 minutes');
