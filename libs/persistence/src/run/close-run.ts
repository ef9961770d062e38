import type { Database } from '../database.js';
import { notify } from '../notify.js';
import { type DispatchLease, held } from './dispatch-lease.js';
import { requeueDispatches } from './outbox.js';
import { lockPromotion } from './settle-promotion.js';

/**
 * Ends a run and says what becomes of the dispatch: nothing is left; retries are due later;
 * replicas wait for their prod elsewhere. The promotion's row is locked, so that a prod that
 * ends at this moment either sees the waiting dispatch or is seen by it. The dispatch's job is still
 * in the queue, which would ignore another one of its number: what comes next has the next number.
 */
export async function closeRun(database: Database, lease: DispatchLease): Promise<void> {
  await database.transaction(async (tables) => {
    await lockPromotion(tables, lease.promotionId);
    const [left] = await tables.$queryRaw<{ waiting: bigint; ready: bigint; due_at: Date | null }[]>`
      SELECT count(*) FILTER (WHERE w.waits) AS waiting,
             count(*) FILTER (WHERE t.due_at IS NULL AND NOT w.waits) AS ready,
             min(t.due_at) AS due_at
      FROM item_target t LEFT JOIN item_target f ON f.id = t.follows
        CROSS JOIN LATERAL (SELECT t.state = 'tagging' AND coalesce(f.state <> 'done', false) AS waits) w
      WHERE t.promotion_id = ${lease.promotionId}::uuid AND t.location = ${lease.location} AND t.state <> 'done'`;
    const state = left === undefined ? 'finished' : stateAfter(left);
    const closed = await tables.$executeRaw`
      UPDATE dispatch SET state = ${state}, number = number + 1, lease_holder = NULL, lease_expires_at = NULL,
        due_at = ${left?.due_at ?? null}::timestamptz, queued_at = coalesce(${left?.due_at ?? null}::timestamptz, now())
      WHERE ${held(lease)}`;
    if (closed === 0) return;
    if (left !== undefined && left.ready > 0n) await requeueDispatches(tables, lease.promotionId, [lease.location]);
    await notify(tables, 'promotion', lease.promotionId);
  });
}

function stateAfter(left: {
  readonly waiting: bigint;
  readonly ready: bigint;
  readonly due_at: Date | null;
}): 'finished' | 'parked' | 'queued' {
  if (left.ready > 0n || left.due_at !== null) return 'queued';
  return left.waiting > 0n ? 'parked' : 'finished';
}
