-- Runs of retention that act: what they delete is an effect with a record in the chain, as what promotions write, and neither
-- takes from a registry what the other needs.

-- A run acts on the strength of one approval, which must stand as long as it acts.
ALTER TABLE retention_run
  ADD COLUMN approval_id         uuid REFERENCES retention_approval (id),
  -- Of one that is due by the policy's schedule: it works until then, and its grace moves that on.
  ADD COLUMN window_ends_at      timestamptz,
  -- When the earliest of its marks is due: until then it needs no worker.
  ADD COLUMN resume_at           timestamptz,
  -- Somebody wants the rest to stay; whoever runs it ends it, once it knows what became of the deletion that is under way.
  ADD COLUMN cancel_requested_at timestamptz,
  ADD COLUMN deleted             bigint NOT NULL DEFAULT 0,
  ADD COLUMN spared              bigint NOT NULL DEFAULT 0,
  ADD COLUMN failed              bigint NOT NULL DEFAULT 0;

ALTER TABLE retention_run_repository
  ADD COLUMN deleted bigint NOT NULL DEFAULT 0,
  ADD COLUMN spared  bigint NOT NULL DEFAULT 0,
  ADD COLUMN failed  bigint NOT NULL DEFAULT 0;

ALTER TABLE retention_mark
  -- Its place in the plan.
  ADD COLUMN position      integer NOT NULL,
  -- When it was known to be deleted, in the order of events.
  ADD COLUMN deleted_order bigint,
  DROP CONSTRAINT retention_mark_state_check,
  -- restored: a push of it was lost in the moment between the last look and the deletion, and was made again.
  ADD CONSTRAINT retention_mark_state_check CHECK (state IN ('marked', 'deleting', 'deleted', 'spared', 'failed', 'restored')),
  ADD CONSTRAINT retention_mark_deleted_check CHECK ((state IN ('deleted', 'restored')) = (deleted_order IS NOT NULL));
DROP INDEX retention_mark_run_id_idx;
CREATE UNIQUE INDEX retention_mark_run_id_repository_position_idx ON retention_mark (run_id, repository, position);
CREATE INDEX retention_mark_deleted_order_idx ON retention_mark (deleted_order) WHERE deleted_order IS NOT NULL;

-- An effect, and a record, belongs to a promotion or to a run of retention.
ALTER TABLE effect
  ALTER COLUMN promotion_id DROP NOT NULL,
  ALTER COLUMN item_target_id DROP NOT NULL,
  ADD COLUMN retention_run_id uuid REFERENCES retention_run (id),
  ADD CONSTRAINT effect_owner_check CHECK (
    (promotion_id IS NULL) = (item_target_id IS NULL) AND (promotion_id IS NULL) <> (retention_run_id IS NULL)),
  DROP CONSTRAINT effect_outcome_check,
  ADD CONSTRAINT effect_outcome_check CHECK (outcome IN ('written', 'not-written', 'overwritten', 'unknown', 'deleted', 'not-deleted')),
  ADD CONSTRAINT effect_deletion_check CHECK (outcome IS NULL OR outcome = 'unknown' OR (kind = 'deletion') = (outcome IN ('deleted', 'not-deleted')));
-- What was read back as not done did not happen: whoever intends it again intends another effect.
CREATE UNIQUE INDEX effect_of_run_idx ON effect (retention_run_id, registry_id, repository, kind, digest, tag)
  WHERE retention_run_id IS NOT NULL AND outcome IS DISTINCT FROM 'not-written' AND outcome IS DISTINCT FROM 'not-deleted';

ALTER TABLE provenance_record
  ALTER COLUMN promotion_id DROP NOT NULL,
  ADD COLUMN retention_run_id uuid REFERENCES retention_run (id),
  ADD CONSTRAINT provenance_record_owner_check CHECK ((promotion_id IS NULL) <> (retention_run_id IS NULL));
CREATE INDEX provenance_record_retention_run_id_idx ON provenance_record (retention_run_id, id) WHERE retention_run_id IS NOT NULL;

-- Whoever deletes from a registry holds this lock for itself, and whoever is to need something of it holds it with others, each until
-- the end of its transaction. In one order, so that none waits for another in a circle.
CREATE FUNCTION lock_against_deletion(registries uuid[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  key integer;
BEGIN
  FOR key IN SELECT DISTINCT hashtext(id::text) FROM unnest(registries) AS id ORDER BY 1 LOOP
    PERFORM pg_advisory_xact_lock_shared(7270003, key);
  END LOOP;
END $$;

-- Roots, and all that is beneath them or refers to them, as far as it was ever read.
CREATE FUNCTION needed_with(roots bytea[]) RETURNS SETOF bytea LANGUAGE sql STABLE AS $$
  WITH RECURSIVE needed (digest) AS (
    SELECT root FROM unnest(roots) AS root
    UNION
    SELECT e.digest FROM needed n CROSS JOIN LATERAL (
      SELECT child FROM content_edge WHERE parent = n.digest AND kind = 'child'
      UNION ALL SELECT parent FROM content_edge WHERE child = n.digest AND kind IN ('subject', 'reserved-tag')
    ) AS e (digest)
  )
  SELECT digest FROM needed
$$;

-- The other way round: digests that an unfinished promotion which reads or writes the registry needs, each with one of those.
CREATE FUNCTION needed_by_promotions(at uuid, digests bytea[]) RETURNS TABLE (digest bytea, promotion uuid) LANGUAGE sql STABLE AS $$
  WITH RECURSIVE above (origin, digest) AS (
    SELECT d, d FROM unnest(digests) AS d
    UNION
    SELECT a.origin, e.digest FROM above a CROSS JOIN LATERAL (
      SELECT parent FROM content_edge WHERE child = a.digest AND kind = 'child'
      UNION ALL SELECT child FROM content_edge WHERE parent = a.digest AND kind IN ('subject', 'reserved-tag')
    ) AS e (digest)
  )
  SELECT DISTINCT ON (a.origin) a.origin, i.promotion_id
  FROM above a JOIN promotion_item i ON i.digest = a.digest
  WHERE EXISTS (SELECT FROM item_target t WHERE t.promotion_id = i.promotion_id AND t.state <> 'done')
    AND (i.source_registry_id = at OR EXISTS (SELECT FROM item_target t WHERE t.item_id = i.id AND t.registry_id = at))
  ORDER BY a.origin, i.promotion_id
$$;

-- Keeps what item-targets need at the registries that they read and write: what is marked there is spared. Gives what is too late to
-- keep, since its deletion may have been sent; or, of what they read, since it has happened after that place in the order of events.
-- Volatile, so that each statement sees what was committed while the lock was waited for.
CREATE FUNCTION keep_for_targets(targets uuid[], since bigint)
RETURNS TABLE (target uuid, registry text, repository text, tag text, digest bytea, run uuid) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  places uuid[];
  needed bytea[];
BEGIN
  SELECT array_agg(DISTINCT place) INTO places
    FROM item_target t JOIN promotion_item i ON i.id = t.item_id CROSS JOIN LATERAL unnest(ARRAY[t.registry_id, i.source_registry_id]) AS place
    WHERE t.id = ANY(targets);
  PERFORM lock_against_deletion(places);
  IF NOT EXISTS (SELECT FROM retention_mark m WHERE m.settled_at IS NULL AND m.registry_id = ANY(places))
    AND NOT EXISTS (SELECT FROM retention_mark m WHERE m.deleted_order > since)
    AND NOT EXISTS (SELECT FROM effect e WHERE e.state = 'intended' AND e.kind = 'deletion' AND e.registry_id = ANY(places)) THEN
    RETURN;
  END IF;

  needed := ARRAY(SELECT needed_with(ARRAY(
    SELECT DISTINCT i.digest FROM item_target t JOIN promotion_item i ON i.id = t.item_id WHERE t.id = ANY(targets))));
  PERFORM FROM retention_mark m
    WHERE m.settled_at IS NULL AND m.state = 'marked' AND m.registry_id = ANY(places) AND m.digest = ANY(needed)
    ORDER BY m.registry_id, m.repository, m.digest FOR UPDATE;
  UPDATE retention_mark m SET state = 'spared', settled_at = now(), error = jsonb_build_object(
      'code', 'promotion-running', 'message', 'a promotion needs it', 'promotion',
      (SELECT t.promotion_id FROM item_target t WHERE t.id = ANY(targets) LIMIT 1))
    WHERE m.settled_at IS NULL AND m.state = 'marked' AND m.registry_id = ANY(places) AND m.digest = ANY(needed);

  RETURN QUERY
    SELECT t.id, r.name, m.repository, '', m.digest, m.run_id
    FROM retention_mark m JOIN registry r ON r.id = m.registry_id
      JOIN item_target t ON t.id = ANY(targets) JOIN promotion_item i ON i.id = t.item_id
    WHERE m.settled_at IS NULL AND m.state = 'deleting' AND m.registry_id = ANY(places) AND m.digest = ANY(needed)
      AND m.registry_id IN (t.registry_id, i.source_registry_id) AND m.digest IN (SELECT needed_with(ARRAY[i.digest]))
    UNION ALL
    SELECT t.id, r.name, m.repository, '', m.digest, m.run_id
    FROM retention_mark m JOIN registry r ON r.id = m.registry_id
      JOIN item_target t ON t.id = ANY(targets) JOIN promotion_item i ON i.id = t.item_id
    WHERE m.deleted_order > since AND m.state = 'deleted' AND m.digest = ANY(needed)
      AND m.registry_id = i.source_registry_id AND m.repository = i.source_repository AND m.digest IN (SELECT needed_with(ARRAY[i.digest]))
    UNION ALL
    SELECT t.id, r.name, e.repository, e.tag, e.digest, e.retention_run_id
    FROM effect e JOIN registry r ON r.id = e.registry_id
      JOIN item_target t ON t.registry_id = e.registry_id AND t.repository = e.repository AND t.id = ANY(targets)
      JOIN item_target_tag g ON g.item_target_id = t.id AND g.tag = e.tag
    WHERE e.state = 'intended' AND e.kind = 'deletion' AND e.tag <> '';
END $$;
