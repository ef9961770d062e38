import { PromotionError, targetsToRetry } from '@waybill/promotion';
import { type IdempotentRequest, storeAnswer, type StoredAnswer } from '../access/idempotency-keys.js';
import { type Database, rollBack, type Tables, undefinedWhenRolledBack } from '../database.js';
import { notify } from '../notify.js';
import { type PromotionDetail, readPromotion } from '../promotions/promotion.read-model.js';
import { lockPromotion, settlePromotion } from '../run/settle-promotion.js';
import type { Decision } from './decision.js';
import { endCancelledAt, isPromotionCancelled } from './end-cancelled.js';
import { endedTargets, recordRetry, reopenTargets } from './reopen-targets.js';

/** What people decide about promotions after they were accepted. */
export class PromotionControl {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Stops what is left of a promotion. Targets at locations that no worker runs are ended here; workers that run others
   * are told by a notification, and by the row. A second call changes nothing.
   * @throws PromotionError `promotion-finished` when nothing is left
   */
  async cancel(promotionId: string, decision: Decision): Promise<void> {
    await this.#database.transaction(async (tables) => {
      const promotion = await lockPromotion(tables, promotionId);
      if (await isPromotionCancelled(tables, promotionId)) return;
      const open = await tables.itemTarget.count({ where: { promotionId, state: { not: 'done' } } });
      if (open === 0) throw finished();
      await recordCancellation(tables, promotionId, decision);
      await endCancelledAt(tables, promotionId, await lockIdleLocations(tables, promotionId));
      await settlePromotion(tables, promotionId, promotion);
      await notify(tables, 'cancellation', promotionId);
      await notify(tables, 'promotion', promotionId);
    });
  }

  /**
   * Tries again what failed or was cancelled of a finished promotion, as it was pinned: with its tickets and expected digests.
   * One transaction with the answer to the request; undefined, and nothing done, when the request's claim was taken over meanwhile.
   * @throws PromotionError `promotion-unfinished`, `nothing-to-retry`, `path-removed`, `registry-replaced`, `being-deleted`
   */
  async retry(
    promotionId: string,
    decision: Decision,
    request: {
      readonly request: IdempotentRequest;
      readonly token: string;
      readonly answerOf: (promotion: PromotionDetail) => StoredAnswer;
    },
  ): Promise<StoredAnswer | undefined> {
    return this.#database
      .transaction(async (tables) => {
        const promotion = await lockPromotion(tables, promotionId);
        const targets = targetsToRetry(await endedTargets(tables, promotionId));
        await reopenTargets(tables, promotionId, targets);
        await recordRetry(tables, decision, targets);
        await settlePromotion(tables, promotionId, promotion);
        const detail = await readPromotion(tables, promotionId);
        if (detail === undefined) throw new Error(`promotion ${promotionId} is gone from under its lock`);
        const answer = request.answerOf(detail);
        if (!(await storeAnswer(tables, request.request, request.token, answer))) rollBack();
        await notify(tables, 'promotion', promotionId);
        return answer;
      })
      .catch(undefinedWhenRolledBack);
  }
}

function finished(): PromotionError {
  return new PromotionError('the promotion has ended everywhere: nothing is left to cancel', {
    code: 'promotion-finished',
    operation: 'cancel promotion',
  });
}

async function recordCancellation(tables: Tables, promotionId: string, { by, reason }: Decision): Promise<void> {
  await tables.$executeRaw`
    WITH cancelled AS (
      INSERT INTO promotion_cancellation (promotion_id, requested_by, reason) VALUES (${promotionId}::uuid, ${by}::uuid, ${reason ?? null})
      RETURNING promotion_id, requested_by, reason
    )
    INSERT INTO provenance_record (kind, promotion_id, subject, body)
    SELECT 'decision', i.promotion_id, i.digest, jsonb_strip_nulls(jsonb_build_object(
      'decision', 'cancel-requested', 'requestedBy', c.requested_by, 'reason', c.reason))
    FROM cancelled c JOIN promotion_item i ON i.promotion_id = c.promotion_id ORDER BY i.position`;
}

/** Waits for statements under the promotion's leases and lets no more begin; gives where no worker holds one. */
async function lockIdleLocations(tables: Tables, promotionId: string): Promise<string[]> {
  const dispatches = await tables.$queryRaw<{ location: string; is_held: boolean }[]>`
    SELECT location, state = 'leased' AND lease_expires_at > now() AS is_held
    FROM dispatch WHERE promotion_id = ${promotionId}::uuid ORDER BY location FOR UPDATE`;
  return dispatches.filter(({ is_held: isHeld }) => !isHeld).map(({ location }) => location);
}
