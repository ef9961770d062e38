import {
  type CopiedBytes,
  derivePromotionState,
  isTerminal,
  type ItemTargetState,
  type Outcome,
  type Requirement,
  type TargetEnding,
  type TargetRun,
} from '@waybill/promotion';
import type { Database, Tables } from '../database.js';
import { notify } from '../notify.js';
import { storedError } from './stored-error.js';
import { type DispatchLease, leaseLost, underLease } from './dispatch-lease.js';
import { requeueDispatches } from './outbox.js';

/**
 * Ends one item-target: its outcome, the decision's record, the promotion's state that follows,
 * and the wake-up of replicas elsewhere that wait for it. The promotion's row is locked first,
 * so that of targets that end together one sees all.
 */
export async function endTarget(database: Database, lease: DispatchLease, target: TargetRun, ending: TargetEnding): Promise<void> {
  await database.transaction(async (tables) => {
    await tables.$queryRaw`SELECT 1 FROM promotion WHERE id = ${lease.promotionId}::uuid FOR UPDATE`;
    await writeEnding(tables, lease, target, ending);
    await settlePromotion(tables, lease.promotionId);
    await wakeFollowers(tables, lease.promotionId, target.id);
    await notify(tables, 'promotion', lease.promotionId);
  });
}

async function writeEnding(tables: Tables, lease: DispatchLease, target: TargetRun, ending: TargetEnding): Promise<void> {
  const error = ending.error === undefined ? null : JSON.stringify(storedError(ending.error));
  const ended = await tables.$executeRaw`
    WITH ${underLease(lease)}, ended AS (
      UPDATE item_target SET state = 'done', outcome = ${ending.outcome}, error = ${error}::jsonb, due_at = NULL, finished_at = now(),
        bytes_copied = bytes_copied + ${ending.bytesCopied}, bytes_mounted = bytes_mounted + ${ending.bytesMounted},
        bytes_skipped = bytes_skipped + ${ending.bytesSkipped}
      WHERE id = ${target.id}::uuid AND state <> 'done' AND EXISTS (SELECT 1 FROM lease)
      RETURNING promotion_id, item_id, registry_id, repository, outcome, attempts, error
    )
    INSERT INTO provenance_record (kind, promotion_id, subject, body)
    SELECT 'decision', e.promotion_id, i.digest, jsonb_strip_nulls(jsonb_build_object(
      'decision', 'target-ended', 'registry', r.name, 'repository', e.repository, 'outcome', e.outcome, 'attempts', e.attempts, 'error', e.error))
    FROM ended e JOIN promotion_item i ON i.id = e.item_id JOIN registry r ON r.id = e.registry_id`;
  if (ended === 0) throw leaseLost(lease);
}

async function settlePromotion(tables: Tables, promotionId: string): Promise<void> {
  const targets = await tables.itemTarget.findMany({
    where: { promotionId },
    select: { requirement: true, state: true, outcome: true, attempts: true },
  });
  const state = derivePromotionState(
    targets.map((target) => ({
      requirement: target.requirement as Requirement,
      state: target.state as ItemTargetState,
      attempts: target.attempts,
      ...(target.outcome === null ? {} : { outcome: target.outcome as Outcome }),
    })),
  );
  if (!isTerminal(state)) return;
  await tables.$executeRaw`
    WITH ended AS (
      UPDATE promotion SET state = ${state}, finished_at = now() WHERE id = ${promotionId}::uuid AND finished_at IS NULL RETURNING id
    )
    INSERT INTO provenance_record (kind, promotion_id, subject, body)
    SELECT 'decision', i.promotion_id, i.digest, jsonb_build_object('decision', 'promotion-ended', 'state', ${state}::text)
    FROM ended JOIN promotion_item i ON i.promotion_id = ended.id ORDER BY i.position`;
}

async function wakeFollowers(tables: Tables, promotionId: string, followed: string): Promise<void> {
  const rows = await tables.itemTarget.findMany({
    where: { follows: followed, state: { not: 'done' } },
    select: { location: true },
    distinct: ['location'],
  });
  if (rows.length > 0)
    await requeueDispatches(
      tables,
      promotionId,
      rows.map(({ location }) => location),
    );
}

/** Keeps a target for another attempt. */
export async function postponeTarget(
  database: Database,
  lease: DispatchLease,
  target: TargetRun,
  again: { readonly error: object; readonly delayMs: number; readonly bytes: CopiedBytes },
): Promise<void> {
  const count = await database.tables.$executeRaw`
    WITH ${underLease(lease)}
    UPDATE item_target SET state = 'pending', error = ${JSON.stringify(again.error)}::jsonb, due_at = now() + ${again.delayMs} * interval '1 millisecond',
      bytes_copied = bytes_copied + ${again.bytes.bytesCopied}, bytes_mounted = bytes_mounted + ${again.bytes.bytesMounted},
      bytes_skipped = bytes_skipped + ${again.bytes.bytesSkipped}
    WHERE id = ${target.id}::uuid AND state <> 'done' AND EXISTS (SELECT 1 FROM lease)`;
  if (count === 0) throw leaseLost(lease);
}
