import type { Tables } from '../database.js';
import type { Prisma } from '../generated/client.js';
import { notify } from '../notify.js';

/**
 * Ends unfinished collections, inside the caller's transaction, and the pauses that they held copies back with. What was seen at
 * the registry while something was being removed counts for nothing either. Gives how many.
 */
export async function endCollections(tables: Tables, changes: Prisma.Sql, which: Prisma.Sql): Promise<number> {
  const [row] = await tables.$queryRaw<{ ended: bigint }[]>`
    WITH ended AS (
      UPDATE collection SET ${changes}, finished_at = now(), lease_holder = NULL, lease_expires_at = NULL
      WHERE ${which} AND finished_at IS NULL
      RETURNING registry_id, requested_by, pause_id, epoch
    ), resumed AS (
      UPDATE pause p SET resumed_by = e.requested_by, resumed_at = now(), resume_reason = 'the collection has ended'
      FROM ended e WHERE p.id = e.pause_id AND p.resumed_at IS NULL
    ), voided AS (
      UPDATE registry r SET epoch = r.epoch + 1 FROM ended e WHERE r.id = e.registry_id AND e.epoch IS NOT NULL
    )
    SELECT count(*) AS ended FROM ended`;
  const ended = Number(row?.ended ?? 0);
  if (ended === 0) return 0;
  await notify(tables, 'pause');
  await notify(tables, 'collection');
  return ended;
}
