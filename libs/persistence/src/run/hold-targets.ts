import { itemTargetTransitions, type PromotionError, statesBefore, type TargetRun } from '@waybill/promotion';
import type { Database, Tables } from '../database.js';
import { storableJson } from '../registry-checks/storable-json.js';
import { type DispatchLease, leaseLost, underLease } from './dispatch-lease.js';
import { keepForAttempt } from './keep-content.js';
import { storedError } from './stored-error.js';

/** Ids of targets by what became of them. */
export interface BegunTargets {
  readonly held: ReadonlySet<string>;
  /** Those whose attempts were raised: what only waited goes on with the attempt that it has. */
  readonly counted: readonly string[];
  /** Where the attempt began in the order of events: what is known to be deleted later was perhaps there at its beginning. */
  readonly begun: bigint;
}

/**
 * Begins an attempt at the targets that no pause covers, and holds the others. Whatever was done at those before
 * is done again when the pause has ended, so that nothing is taken for verified that was collected meanwhile.
 * What a run of retention has marked of what they need is spared; where it is being deleted the target is tried again later.
 * @throws PromotionError `lease-lost`
 */
export async function beginOrHold(database: Database, lease: DispatchLease, targets: readonly TargetRun[]): Promise<BegunTargets> {
  const ids = targets.map(({ id }) => id);
  const { rows, begun } = await database.transaction(async (tables) => {
    // A statement that waits for a row sees what was before it waited: a collection that begins has to come before or after this whole.
    const [order] = await tables.$queryRaw<{ begun: bigint }[]>`
      SELECT nextval('order_of_events') AS begun FROM registry
      WHERE id IN (SELECT registry_id FROM item_target WHERE id = ANY(${ids}::uuid[])) ORDER BY id FOR SHARE`;
    if (order === undefined) throw new Error('the targets have no registry');
    const late = await keepForAttempt(tables, ids);
    const postponed = await postpone(tables, lease, late);
    const timely = ids.filter((id) => !late.has(id));
    return { rows: [...postponed, ...(await beginOrHoldRows(tables, lease, timely))], ...order };
  });
  if (rows.length !== ids.length) throw leaseLost(lease);
  return {
    held: new Set(rows.flatMap(({ id, is_held: isHeld }) => (isHeld ? [id] : []))),
    counted: rows.flatMap(({ id, is_counted: isCounted }) => (isCounted ? [id] : [])),
    begun,
  };
}

interface BegunRow {
  readonly id: string;
  readonly is_held: boolean;
  readonly is_counted: boolean;
}

/** No attempt has begun: none is counted. */
async function postpone(tables: Tables, lease: DispatchLease, late: ReadonlyMap<string, PromotionError>): Promise<BegunRow[]> {
  if (late.size === 0) return [];
  const rows = [...late].map(([id, error]) => ({ id, error: storedError(error), ms: error.retryAfterMs }));
  return tables.$queryRaw<BegunRow[]>`
    WITH ${underLease(lease)}, late AS (
      SELECT * FROM jsonb_to_recordset(${storableJson(rows)}::jsonb) AS late (id uuid, error jsonb, ms float8)
    )
    UPDATE item_target t SET state = 'pending', waiting_since = NULL, held_by = NULL, held_since = NULL, error = late.error, due_at = now() + late.ms * interval '1 millisecond',
      attempts = attempts - CASE WHEN waiting_since IS NULL THEN 0 ELSE 1 END
    FROM late WHERE t.id = late.id AND t.state = ANY(${statesBefore(itemTargetTransitions, 'copying')}::text[]) AND EXISTS (SELECT 1 FROM lease)
    RETURNING t.id, true AS is_held, false AS is_counted`;
}

function beginOrHoldRows(tables: Tables, lease: DispatchLease, ids: readonly string[]): Promise<BegunRow[]> {
  return tables.$queryRaw<BegunRow[]>`
    WITH ${underLease(lease)}, covered AS (
      SELECT id, pause_of(id) AS pause, waiting_since IS NULL AS is_counted FROM item_target WHERE id = ANY(${ids}::uuid[]) AND EXISTS (SELECT 1 FROM lease)
    ), held AS (
      UPDATE item_target t SET state = 'pending', held_by = c.pause, held_since = coalesce(t.held_since, now()), due_at = NULL,
        attempts = attempts - CASE WHEN waiting_since IS NULL THEN 0 ELSE 1 END, waiting_since = NULL
      FROM covered c WHERE t.id = c.id AND c.pause IS NOT NULL AND t.state = ANY(${statesBefore(itemTargetTransitions, 'copying')}::text[])
      RETURNING t.id
    ), begun AS (
      UPDATE item_target t SET state = CASE state WHEN 'tagging' THEN 'tagging' ELSE 'copying' END,
        attempts = attempts + CASE WHEN waiting_since IS NULL THEN 1 ELSE 0 END,
        waiting_since = NULL, held_by = NULL, held_since = NULL, due_at = NULL, started_at = coalesce(started_at, now())
      FROM covered c WHERE t.id = c.id AND c.pause IS NULL AND t.state = ANY(${statesBefore(itemTargetTransitions, 'copying')}::text[])
      RETURNING t.id
    )
    SELECT id, true AS is_held, false AS is_counted FROM held
    UNION ALL SELECT b.id, false, c.is_counted FROM begun b JOIN covered c ON c.id = b.id`;
}

/**
 * Keeps a target that a pause has stopped on its way, and gives its attempt back: to wait is no failure. Where the pause has
 * ended since, the target is ready again.
 * @throws PromotionError `lease-lost`
 */
export async function holdBack(database: Database, lease: DispatchLease, target: TargetRun): Promise<void> {
  const count = await database.tables.$executeRaw`
    WITH ${underLease(lease)}
    UPDATE item_target SET state = 'pending', attempts = greatest(attempts - 1, 0), due_at = NULL,
      held_by = pause_of(id), held_since = CASE WHEN pause_of(id) IS NOT NULL THEN now() END
    WHERE id = ${target.id}::uuid AND state <> 'done' AND EXISTS (SELECT 1 FROM lease)`;
  if (count === 0) throw leaseLost(lease);
}
