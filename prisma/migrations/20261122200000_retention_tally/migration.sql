-- How often runs of retention have ended in what, and what has come of what they were to remove, by policy.
ALTER TABLE outcome_tally DROP CONSTRAINT outcome_tally_subject_check;
ALTER TABLE outcome_tally ADD CONSTRAINT outcome_tally_subject_check
  CHECK (subject IN ('promotion', 'target', 'lease', 'retention-run', 'retention-removal'));

-- Of one policy one run is open, so nothing else waits for its rows of the tally.
CREATE FUNCTION retention_run_tally() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM tally_outcome('retention-run', NEW.policy, NEW.state);
  INSERT INTO outcome_tally AS t (subject, name, outcome, count)
    SELECT 'retention-removal', NEW.policy, r.outcome, r.count
    FROM (VALUES ('deleted', NEW.deleted), ('failed', NEW.failed), ('spared', NEW.spared)) AS r (outcome, count)
    WHERE r.count > 0 ORDER BY r.outcome
  ON CONFLICT (subject, name, outcome) DO UPDATE SET count = t.count + excluded.count;
  RETURN NULL;
END $$;
CREATE TRIGGER retention_run_tallied AFTER UPDATE ON retention_run FOR EACH ROW
  WHEN (OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL) EXECUTE FUNCTION retention_run_tally();
