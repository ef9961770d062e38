import type { WaybillError } from '@waybill/kernel';
import type { EffectReadBack } from '@waybill/promotion';
import type { Database, Tables } from '../database.js';
import { Prisma } from '../generated/client.js';
import { notify } from '../notify.js';
import { type DispatchLease, held, leaseLost } from './dispatch-lease.js';
import { settleReadBack } from './settle-effects.js';
import { lockPromotion, settlePromotion } from './settle-promotion.js';
import { type StoredError, storedError } from './stored-error.js';

/**
 * Ends a promotion as rejected, whatever runs at other locations: their leases are void when this commits. One that has failed
 * already stays so; what is left of it, as its replicas, ends as cancelled for that reason.
 * False, and nothing changed, when a target has arrived or a tag was perhaps written.
 * @throws PromotionError `lease-lost`
 */
export function rejectPromotion(
  database: Database,
  lease: DispatchLease,
  rejection: { readonly reason: WaybillError; readonly readBack: readonly EffectReadBack[] },
): Promise<boolean> {
  return database.transaction(async (tables) => {
    await lockPromotion(tables, lease.promotionId);
    await holdDispatches(tables, lease);
    if (await hasArrivedAnywhere(tables, lease.promotionId)) return false;
    await voidOtherLeases(tables, lease);
    await settleReadBack(tables, lease, rejection.readBack);
    const reason = storedError(rejection.reason);
    await endAsCancelled(tables, Prisma.sql`promotion_id = ${lease.promotionId}::uuid`, reason);
    const rejected = await tables.$executeRaw`
      UPDATE promotion SET rejection = ${JSON.stringify(reason)}::jsonb WHERE id = ${lease.promotionId}::uuid AND finished_at IS NULL`;
    await settlePromotion(tables, lease.promotionId, { isRejected: rejected > 0 });
    await notify(tables, 'promotion', lease.promotionId);
    return true;
  });
}

/** Waits for statements under the leases of this promotion and lets no more begin. */
async function holdDispatches(tables: Tables, lease: DispatchLease): Promise<void> {
  await tables.$queryRaw`SELECT 1 FROM dispatch WHERE promotion_id = ${lease.promotionId}::uuid ORDER BY location FOR UPDATE`;
  const ours = await tables.$queryRaw<unknown[]>`SELECT 1 FROM dispatch WHERE ${held(lease)}`;
  if (ours.length === 0) throw leaseLost(lease);
}

async function hasArrivedAnywhere(tables: Tables, promotionId: string): Promise<boolean> {
  const [row] = await tables.$queryRaw<{ arrived: boolean }[]>`
    SELECT EXISTS (
      SELECT 1 FROM item_target t
      WHERE t.promotion_id = ${promotionId}::uuid AND (t.outcome IN ('copied', 'mounted', 'already-present') OR EXISTS (
        SELECT 1 FROM effect e WHERE e.item_target_id = t.id AND e.kind = 'tag' AND e.outcome IS DISTINCT FROM 'not-written'))
    ) AS arrived`;
  return row?.arrived ?? false;
}

async function voidOtherLeases(tables: Tables, { promotionId, location }: DispatchLease): Promise<void> {
  await tables.$executeRaw`
    UPDATE dispatch SET state = 'finished', due_at = NULL, lease_holder = NULL, lease_expires_at = NULL, lease_fence = lease_fence + 1
    WHERE promotion_id = ${promotionId}::uuid AND location <> ${location}`;
}

/** Ends those of the targets that are not over yet. `which` is a condition on `item_target`. */
export async function endAsCancelled(tables: Tables, which: Prisma.Sql, reason: StoredError): Promise<void> {
  await tables.$executeRaw`
    WITH ended AS (
      UPDATE item_target SET state = 'done', outcome = 'cancelled', error = ${JSON.stringify(reason)}::jsonb, due_at = NULL, waiting_since = NULL,
        held_by = NULL, held_since = NULL, finished_at = now()
      WHERE ${which} AND state <> 'done'
      RETURNING promotion_id, item_id, registry_id, repository, outcome, attempts, error
    )
    INSERT INTO provenance_record (kind, promotion_id, subject, body)
    SELECT 'decision', e.promotion_id, i.digest, jsonb_build_object('decision', 'target-ended', 'registry', r.name,
      'repository', e.repository, 'outcome', e.outcome, 'attempts', e.attempts, 'error', e.error)
    FROM ended e JOIN promotion_item i ON i.id = e.item_id JOIN registry r ON r.id = e.registry_id ORDER BY i.position, r.name`;
}
