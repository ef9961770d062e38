import { cancelled } from '@waybill/promotion';
import type { Tables } from '../database.js';
import { Prisma } from '../generated/client.js';
import { requeueDispatches } from '../run/outbox.js';
import { endAsCancelled } from '../run/reject-promotion.js';
import { storedError } from '../run/stored-error.js';

/** Was it cancelled, and not taken up again? Under the promotion's lock that stays so until the transaction ends. */
export async function isPromotionCancelled(tables: Tables, promotionId: string): Promise<boolean> {
  return (await tables.promotionCancellation.count({ where: { promotionId } })) > 0;
}

/**
 * Of a cancelled promotion: ends what is left at locations that no worker runs. The promotion must be locked, and so must the
 * dispatches, so that no run begins meanwhile. Where effects are open a worker has to look at the registry before it ends
 * the target: those locations are run once more, at once.
 */
export async function endCancelledAt(tables: Tables, promotionId: string, locations: readonly string[]): Promise<void> {
  const at = Prisma.sql`promotion_id = ${promotionId}::uuid AND location = ANY(${locations}::text[])`;
  await endAsCancelled(
    tables,
    Prisma.sql`${at} AND NOT EXISTS (SELECT 1 FROM effect e WHERE e.item_target_id = item_target.id AND e.state = 'intended')`,
    storedError(cancelled()),
  );
  await tables.$executeRaw`
    UPDATE item_target SET due_at = NULL, held_by = NULL, held_since = NULL WHERE ${at} AND state <> 'done'`;
  // The job of this number, if the queue has one, finds nothing to do.
  await tables.$executeRaw`
    UPDATE dispatch d SET state = 'finished', number = number + 1, due_at = NULL, lease_holder = NULL, lease_expires_at = NULL
    WHERE ${at} AND state IN ('queued', 'parked')
      AND NOT EXISTS (SELECT 1 FROM item_target t WHERE t.promotion_id = d.promotion_id AND t.location = d.location AND t.state <> 'done')`;
  await requeueDispatches(tables, promotionId, locations);
}
