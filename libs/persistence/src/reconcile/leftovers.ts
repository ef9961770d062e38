import type { Database, Tables } from '../database.js';
import { Prisma } from '../generated/client.js';
import { notify } from '../notify.js';
import { reopenDispatches } from '../run/outbox.js';
import { lockPromotion, type PromotionDecision, settlePromotion } from '../run/settle-promotion.js';

/** Rows of a kind looked after in one go. */
const batch = 100;

/**
 * Unfinished targets that nobody will ever be sent to: they wait neither for their time, nor for their prod, nor for the
 * end of a pause, and their dispatch is not on its way.
 */
const strandedTargets = Prisma.sql`
  item_target t JOIN dispatch d ON d.promotion_id = t.promotion_id AND d.location = t.location LEFT JOIN item_target f ON f.id = t.follows
  WHERE t.state <> 'done' AND (t.due_at IS NULL OR t.due_at <= now())
    AND (d.state IN ('parked', 'finished') OR (d.state = 'queued' AND d.due_at IS NULL))
    AND NOT (t.state = 'tagging' AND coalesce(f.state <> 'done', false))
    AND NOT EXISTS (SELECT 1 FROM pause p WHERE p.id = t.held_by AND p.resumed_at IS NULL)`;

/** Everything that decides of the promotion is over. */
const hasEnded = Prisma.sql`NOT EXISTS (
  SELECT 1 FROM item_target t WHERE t.promotion_id = p.id AND t.requirement = 'required' AND t.state <> 'done')`;

/**
 * What no transaction of ours leaves behind, and a restored backup, a hand at the tables or a defect may. Each method
 * brings some of it to its end and gives how many it found; any number of processes may call them at once.
 */
export class Leftovers {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Sends the dispatches of targets that were forgotten, under a new number where the old one had its run. */
  async redispatchStranded(): Promise<number> {
    const rows = await this.#database.tables.$queryRaw<{ promotion_id: string }[]>`
      SELECT DISTINCT t.promotion_id FROM ${strandedTargets} LIMIT ${batch}`;
    let count = 0;
    for (const { promotion_id: id } of rows) count += await this.#underLock(id, (tables) => redispatch(tables, id));
    return count;
  }

  /** Gives promotions their end whose required targets have theirs. */
  async settleEnded(): Promise<number> {
    const rows = await this.#database.tables.$queryRaw<{ id: string }[]>`
      SELECT p.id FROM promotion p WHERE p.finished_at IS NULL AND ${hasEnded} LIMIT ${batch}`;
    let count = 0;
    for (const { id } of rows) count += await this.#underLock(id, (tables, decided) => settleWhenEnded(tables, id, decided));
    return count;
  }

  /** Clears leases on tags that have run out: whoever held them may write no more. */
  async releaseTagLeases(): Promise<number> {
    return await this.#database.tables.$executeRaw`
      WITH expired AS (
        SELECT registry_id, repository, tag FROM tag_order WHERE lease_expires_at < now()
        ORDER BY registry_id, repository, tag LIMIT ${batch} FOR UPDATE SKIP LOCKED
      )
      UPDATE tag_order o SET lease_holder = NULL, lease_expires_at = NULL
      FROM expired e WHERE o.registry_id = e.registry_id AND o.repository = e.repository AND o.tag = e.tag`;
  }

  /** What was found is looked for again under the lock: others may have seen to it. */
  #underLock(promotionId: string, work: (tables: Tables, decided: PromotionDecision) => Promise<number>): Promise<number> {
    return this.#database.transaction(async (tables) => work(tables, await lockPromotion(tables, promotionId)));
  }
}

/** Gives the number of dispatches. */
async function redispatch(tables: Tables, promotionId: string): Promise<number> {
  const rows = await tables.$queryRaw<{ location: string }[]>`
    SELECT DISTINCT t.location FROM ${strandedTargets} AND t.promotion_id = ${promotionId}::uuid ORDER BY t.location`;
  if (rows.length === 0) return 0;
  const locations = rows.map(({ location }) => location);
  await reopenDispatches(tables, promotionId, locations);
  return locations.length;
}

async function settleWhenEnded(tables: Tables, promotionId: string, decided: PromotionDecision): Promise<number> {
  const left = await tables.$queryRaw<unknown[]>`
    SELECT 1 FROM promotion p WHERE p.id = ${promotionId}::uuid AND p.finished_at IS NULL AND ${hasEnded}`;
  if (left.length === 0) return 0;
  await settlePromotion(tables, promotionId, decided);
  await notify(tables, 'promotion', promotionId);
  return 1;
}
