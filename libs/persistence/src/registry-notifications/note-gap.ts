import type { Tables } from '../database.js';
import type { GapReason } from './told.js';

/** From now on it is unknown again what was not pulled, until the next heartbeat is heard. */
export async function noteGap(tables: Tables, registryIds: readonly string[], reason: GapReason): Promise<void> {
  if (registryIds.length === 0) return;
  await tables.$executeRaw`
    WITH held AS (
      SELECT registry_id FROM notification_feed WHERE registry_id = ANY(${[...registryIds]}::uuid[]) ORDER BY registry_id FOR NO KEY UPDATE
    )
    UPDATE notification_feed f SET known_since = NULL, gap_at = clock_timestamp(), gap_reason = ${reason},
      gaps = gaps + (known_since IS NOT NULL)::int
    FROM held WHERE f.registry_id = held.registry_id`;
}
