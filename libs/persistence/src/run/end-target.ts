import type { CopiedBytes, TargetEnding, TargetRun } from '@waybill/promotion';
import type { Database, Tables } from '../database.js';
import { channels } from '../notifications.js';
import { type DispatchLease, leaseLost, underLease } from './dispatch-lease.js';
import { requeueDispatches } from './outbox.js';
import { settleReadBack } from './settle-effects.js';
import { lockPromotion, settlePromotion, type TargetStatus } from './settle-promotion.js';
import { storedError } from './stored-error.js';

/**
 * Ends one item-target: its outcome, the records, the promotion's state that follows,
 * and the wake-up of replicas elsewhere that wait for it. The promotion's row is locked first,
 * so that of targets that end together one sees all.
 */
export async function endTarget(database: Database, lease: DispatchLease, target: TargetRun, ending: TargetEnding): Promise<void> {
  await database.transaction(async (tables) => {
    const promotion = await lockPromotion(tables, lease.promotionId);
    await settleReadBack(tables, lease, ending.readBack ?? []);
    await writeEnding(tables, lease, target, ending);
    const targets = await settlePromotion(tables, lease.promotionId, promotion);
    const locations = locationsWaitingFor(target, targets);
    if (locations.length > 0) await requeueDispatches(tables, lease.promotionId, locations);
  });
}

function locationsWaitingFor({ id }: TargetRun, targets: readonly TargetStatus[]): string[] {
  const followers = targets.filter(({ follows, state }) => follows === id && state !== 'done');
  return [...new Set(followers.map(({ location }) => location))];
}

async function writeEnding(tables: Tables, lease: DispatchLease, target: TargetRun, ending: TargetEnding): Promise<void> {
  const error = ending.error === undefined ? null : JSON.stringify(storedError(ending.error));
  const ended = await tables.$queryRaw<unknown[]>`
    WITH ${underLease(lease)}, ended AS (
      UPDATE item_target SET state = 'done', outcome = ${ending.outcome}, error = ${error}::jsonb, due_at = NULL, waiting_since = NULL,
        held_by = NULL, held_since = NULL, finished_at = now(), bytes_copied = bytes_copied + ${ending.bytesCopied}, bytes_mounted = bytes_mounted + ${ending.bytesMounted},
        bytes_skipped = bytes_skipped + ${ending.bytesSkipped}
      WHERE id = ${target.id}::uuid AND state <> 'done' AND EXISTS (SELECT 1 FROM lease)
      RETURNING promotion_id, item_id, registry_id, repository, outcome, attempts, error
    ), recorded AS (
      INSERT INTO provenance_record (kind, promotion_id, subject, body)
      SELECT 'decision', e.promotion_id, i.digest, jsonb_strip_nulls(jsonb_build_object('decision', 'target-ended', 'registry', r.name,
        'repository', e.repository, 'outcome', e.outcome, 'attempts', e.attempts, 'error', e.error))
      FROM ended e JOIN promotion_item i ON i.id = e.item_id JOIN registry r ON r.id = e.registry_id
    )
    SELECT pg_notify(${channels.promotion}, promotion_id::text)::text FROM ended`;
  if (ended.length === 0) throw leaseLost(lease);
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
