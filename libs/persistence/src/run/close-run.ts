import { endCancelledAt } from '../control/end-cancelled.js';
import type { Database, Tables } from '../database.js';
import { notify } from '../notify.js';
import { type DispatchLease, held } from './dispatch-lease.js';
import { requeueDispatches } from './outbox.js';
import { lockPromotion, settlePromotion } from './settle-promotion.js';

/** What a run leaves behind at its location. */
interface LeftRow {
  readonly waiting: bigint;
  readonly ready: bigint;
  readonly due_at: Date | null;
  /** A pause holds something back, or has until now. */
  readonly is_held: boolean;
  /** Something is left of a promotion that is cancelled. */
  readonly is_cancelled: boolean;
  /** The lease still holds. */
  readonly is_ours: boolean;
}

/**
 * Ends a run and says what becomes of the dispatch: nothing is left; retries are due later;
 * replicas wait for their prod elsewhere, and what a pause holds for its end. The promotion's row is locked, so that a prod that
 * ends at this moment either sees the waiting dispatch or is seen by it. The dispatch's job is still
 * in the queue, which would ignore another one of its number: what comes next has the next number.
 */
export async function closeRun(database: Database, lease: DispatchLease): Promise<void> {
  await database.transaction(async (tables) => {
    const promotion = await lockPromotion(tables, lease.promotionId);
    const found = await readLeft(tables, lease);
    if (!found.is_ours) return;
    // Cancelled at the last moment: what waits has nothing to wait for any more.
    if (found.is_cancelled) await endCancelledAt(tables, lease.promotionId, [lease.location]);
    if (found.is_cancelled || found.is_held) await settlePromotion(tables, lease.promotionId, promotion);
    const left = found.is_cancelled ? await readLeft(tables, lease) : found;
    await tables.$executeRaw`
      UPDATE dispatch SET state = ${stateAfter(left)}, number = number + 1, lease_holder = NULL, lease_expires_at = NULL,
        due_at = ${left.due_at}::timestamptz, queued_at = coalesce(${left.due_at}::timestamptz, now())
      WHERE promotion_id = ${lease.promotionId}::uuid AND location = ${lease.location}`;
    if (left.ready > 0n) await requeueDispatches(tables, lease.promotionId, [lease.location]);
    await notify(tables, 'promotion', lease.promotionId);
  });
}

/** Keeps the dispatch's row locked: whose it is does not change any more. */
async function readLeft(tables: Tables, lease: DispatchLease): Promise<LeftRow> {
  const [left] = await tables.$queryRaw<LeftRow[]>`
    WITH ours AS (SELECT 1 FROM dispatch WHERE ${held(lease)} FOR UPDATE)
    SELECT count(*) FILTER (WHERE w.waits) AS waiting,
           count(*) FILTER (WHERE t.due_at IS NULL AND NOT w.waits) AS ready,
           min(t.due_at) AS due_at,
           coalesce(bool_or(t.held_by IS NOT NULL), false) AS is_held,
           count(t.id) > 0 AND EXISTS (SELECT 1 FROM promotion_cancellation c WHERE c.promotion_id = ${lease.promotionId}::uuid) AS is_cancelled,
           EXISTS (SELECT 1 FROM ours) AS is_ours
    FROM item_target t LEFT JOIN item_target f ON f.id = t.follows
      CROSS JOIN LATERAL (
        SELECT (t.state = 'tagging' AND coalesce(f.state <> 'done', false))
          OR EXISTS (SELECT 1 FROM pause p WHERE p.id = t.held_by AND p.resumed_at IS NULL) AS waits) w
    WHERE t.promotion_id = ${lease.promotionId}::uuid AND t.location = ${lease.location} AND t.state <> 'done'`;
  if (left === undefined) throw new Error('an aggregate gave no row');
  return left;
}

function stateAfter(left: LeftRow): 'finished' | 'parked' | 'queued' {
  if (left.ready > 0n || left.due_at !== null) return 'queued';
  return left.waiting > 0n ? 'parked' : 'finished';
}
