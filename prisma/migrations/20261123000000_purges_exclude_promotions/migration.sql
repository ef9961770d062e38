-- A purge and a promotion exclude each other, as a run of retention and a promotion do.

-- What purges have written down to delete and nobody has settled yet.
CREATE FUNCTION purged_now(registries uuid[]) RETURNS TABLE (registry uuid, repository text, digest bytea, request uuid) LANGUAGE sql STABLE AS $$
  SELECT q.registry_id, i.repository, i.digest, q.id
  FROM retention_request q JOIN retention_request_item i ON i.request_id = q.id
  WHERE q.finished_at IS NULL AND q.kind = 'purge' AND q.registry_id = ANY(registries) AND i.state = 'intended' AND i.settled_at IS NULL
$$;

-- As it was, but what a purge deletes is too late to keep as well.
-- Keeps what item-targets need at the registries that they read and write: what is marked there is spared. Gives what is too late to
-- keep, since its deletion may have been sent; or, of what they read, since it has happened after that place in the order of events.
-- Volatile, so that each statement sees what was committed while the lock was waited for.
CREATE OR REPLACE FUNCTION keep_for_targets(targets uuid[], since bigint)
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
    AND NOT EXISTS (SELECT FROM effect e WHERE e.state = 'intended' AND e.kind = 'deletion' AND e.registry_id = ANY(places))
    AND NOT EXISTS (SELECT FROM purged_now(places)) THEN
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
    SELECT t.id, r.name, d.repository, '', d.digest, d.request
    FROM purged_now(places) d JOIN registry r ON r.id = d.registry
      JOIN item_target t ON t.id = ANY(targets) JOIN promotion_item i ON i.id = t.item_id
    WHERE d.digest = ANY(needed) AND d.registry IN (t.registry_id, i.source_registry_id) AND d.digest IN (SELECT needed_with(ARRAY[i.digest]))
    UNION ALL
    SELECT t.id, r.name, e.repository, e.tag, e.digest, e.retention_run_id
    FROM effect e JOIN registry r ON r.id = e.registry_id
      JOIN item_target t ON t.registry_id = e.registry_id AND t.repository = e.repository AND t.id = ANY(targets)
      JOIN item_target_tag g ON g.item_target_id = t.id AND g.tag = e.tag
    WHERE e.state = 'intended' AND e.kind = 'deletion' AND e.tag <> '';
END $$;
