-- What nobody can read any more is known to be unknown: its registry was replaced while the effect was open.
ALTER TABLE effect DROP CONSTRAINT effect_outcome_check;
ALTER TABLE effect ADD CONSTRAINT effect_outcome_check CHECK (outcome IN ('written', 'not-written', 'overwritten', 'unknown'));
