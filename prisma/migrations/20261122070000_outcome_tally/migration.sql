-- How often promotions of a path and targets at a registry have ended in what, and leases at a location ended with
-- their worker: totals that outlive every process.
CREATE TABLE outcome_tally (
  subject text NOT NULL CHECK (subject IN ('promotion', 'target', 'lease')),
  -- Of the path, the registry or the location.
  name    text NOT NULL,
  outcome text NOT NULL,
  count   bigint NOT NULL,
  PRIMARY KEY (subject, name, outcome)
);

CREATE FUNCTION tally_outcome(ended text, ended_name text, ended_as text) RETURNS void LANGUAGE sql AS $$
  INSERT INTO outcome_tally AS t (subject, name, outcome, count) VALUES (ended, ended_name, ended_as, 1)
  ON CONFLICT (subject, name, outcome) DO UPDATE SET count = t.count + 1
$$;

-- Deferred, and named to fire after the triggers that append events: whoever comes here holds their lock, so that
-- the few rows of the tally are never waited for, and never in a circle.
CREATE FUNCTION promotion_tally() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM tally_outcome('promotion', NEW.path, NEW.state);
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER promotion_tallied AFTER UPDATE ON promotion
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL) EXECUTE FUNCTION promotion_tally();

CREATE FUNCTION target_tally() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM tally_outcome('target', (SELECT name FROM registry WHERE id = NEW.registry_id), NEW.outcome);
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER item_target_tallied AFTER UPDATE ON item_target
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (OLD.outcome IS NULL AND NEW.outcome IS NOT NULL) EXECUTE FUNCTION target_tally();

-- Nothing else of such a transaction need be an event, so the lock is taken here.
CREATE FUNCTION lease_tally() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(7270003);
  PERFORM tally_outcome('lease', NEW.location, 'taken-over');
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER dispatch_taken_over AFTER UPDATE ON dispatch
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (OLD.state = 'leased' AND OLD.lease_expires_at <= now() AND NEW.state IN ('queued', 'leased')) EXECUTE FUNCTION lease_tally();
