-- What a target was found to hold, and is being deleted there or was deleted since its attempt began: one of them, with its place.
-- Until the end of the transaction no deletion begins at the registry, and one that begins after it sees what the transaction wrote.
-- Volatile, so that what was committed while the lock was waited for is seen.
CREATE FUNCTION lost_since(of_target uuid, of_digests bytea[], begun bigint) RETURNS TABLE (registry text, repository text, digest bytea)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  PERFORM lock_against_deletion(ARRAY(SELECT registry_id FROM item_target WHERE id = of_target));
  RETURN QUERY
    SELECT r.name, t.repository, l.digest
    FROM item_target t JOIN registry r ON r.id = t.registry_id CROSS JOIN LATERAL (
      SELECT m.digest FROM retention_mark m
      WHERE m.registry_id = t.registry_id AND m.repository = t.repository AND m.digest = ANY(of_digests)
        AND (m.state = 'deleting' AND m.settled_at IS NULL OR m.state = 'deleted' AND m.deleted_order > begun)
      UNION ALL SELECT p.digest FROM purged_now(ARRAY[t.registry_id]) p WHERE p.repository = t.repository AND p.digest = ANY(of_digests)
      UNION ALL SELECT i.digest FROM retention_request_item i JOIN retention_request q ON q.id = i.request_id
      WHERE q.registry_id = t.registry_id AND i.deleted_order > begun AND i.repository = t.repository AND i.digest = ANY(of_digests)
    ) l WHERE t.id = of_target LIMIT 1;
END $$;
