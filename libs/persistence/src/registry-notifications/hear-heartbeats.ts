import type { Tables } from '../database.js';
import type { Delivery } from './told.js';

/**
 * Notes heartbeats that registries tell of. One that follows the last in time shows that nothing between was lost, since a process
 * of Distribution tells everything in its order (2.8 and 3.0). One that comes after a silence shows so only from then on.
 */
export async function hearHeartbeats(tables: Tables, deliveries: readonly Delivery[]): Promise<void> {
  const heard = deliveries.flatMap(({ registryId, heartbeats }) => heartbeats.map((id) => ({ registry: registryId, id })));
  if (heard.length === 0) return;
  const newest = await tables.$queryRaw<{ registry_id: string; sent_at: string }[]>`
    WITH heard AS (
      DELETE FROM notification_heartbeat b
      USING jsonb_to_recordset(${JSON.stringify(heard)}::jsonb) AS t (registry uuid, id uuid), notification_feed f
      WHERE b.id = t.id AND b.registry_id = t.registry AND f.registry_id = b.registry_id
      RETURNING b.registry_id, b.sent_at, b.sent_at >= clock_timestamp() - f.silence AS is_timely
    )
    SELECT registry_id, max(sent_at)::text AS sent_at FROM heard WHERE is_timely GROUP BY registry_id ORDER BY registry_id`;
  for (const { registry_id: registryId, sent_at: sentAt } of newest) await hear(tables, registryId, sentAt);
}

async function hear(tables: Tables, registryId: string, sentAt: string): Promise<void> {
  await tables.$executeRaw`
    WITH feed AS (
      SELECT registry_id, coalesce(known_since IS NOT NULL AND heard_at + silence < ${sentAt}::timestamptz, false) AS was_silent
      FROM notification_feed WHERE registry_id = ${registryId}::uuid FOR NO KEY UPDATE
    )
    UPDATE notification_feed f SET heard_at = greatest(f.heard_at, ${sentAt}::timestamptz),
      known_since = CASE WHEN feed.was_silent THEN ${sentAt}::timestamptz
                         WHEN f.known_since IS NULL AND ${sentAt}::timestamptz > f.gap_at THEN ${sentAt}::timestamptz
                         ELSE f.known_since END,
      gap_at = CASE WHEN feed.was_silent THEN f.heard_at + f.silence ELSE f.gap_at END,
      gap_reason = CASE WHEN feed.was_silent THEN 'silence' ELSE f.gap_reason END,
      gaps = f.gaps + feed.was_silent::int
    FROM feed WHERE f.registry_id = feed.registry_id`;
}
