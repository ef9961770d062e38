import type { Database, Tables } from '../database.js';
import { notify } from '../notify.js';
import { requeueDispatches } from '../run/outbox.js';

/** Promotions per transaction. */
const batch = 20;

/** What waits for the end of a pause. */
export class HeldTargets {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Makes what waits for a pause that has ended due, each once, whoever else does the same. What a run is just about
   * to hold is found by the next call. Gives how many promotions.
   */
  async wake(): Promise<number> {
    return this.#database.transaction(async (tables) => {
      const promotions = await tables.$queryRaw<{ id: string }[]>`
        WITH held AS MATERIALIZED (
          SELECT DISTINCT t.promotion_id FROM item_target t JOIN pause p ON p.id = t.held_by WHERE p.resumed_at IS NOT NULL LIMIT ${batch}
        )
        SELECT o.id FROM held JOIN promotion o ON o.id = held.promotion_id FOR NO KEY UPDATE OF o SKIP LOCKED`;
      for (const { id } of promotions) await wakeTargetsOf(tables, id);
      return promotions.length;
    });
  }
}

/** Under the promotion's lock, as whoever closes a run. A run under way sees for itself that nothing holds its targets any more. */
async function wakeTargetsOf(tables: Tables, promotionId: string): Promise<void> {
  const woken = await tables.$queryRaw<{ location: string }[]>`
    UPDATE item_target t SET held_by = NULL, held_since = NULL FROM pause p
    WHERE t.promotion_id = ${promotionId}::uuid AND p.id = t.held_by AND p.resumed_at IS NOT NULL RETURNING t.location`;
  if (woken.length === 0) return;
  await requeueDispatches(tables, promotionId, [...new Set(woken.map(({ location }) => location))]);
  await notify(tables, 'promotion', promotionId);
}
