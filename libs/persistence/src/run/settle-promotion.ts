import {
  derivePromotionState,
  isTerminal,
  type ItemTargetState,
  type ItemTargetStatus,
  type Outcome,
  type PromotionState,
  type Requirement,
} from '@waybill/promotion';
import type { Tables } from '../database.js';

/** What was decided of a promotion as a whole. */
export interface PromotionDecision {
  readonly isRejected: boolean;
}

/** An item-target as far as others depend on it. */
export interface TargetStatus extends ItemTargetStatus {
  readonly location: string;
  readonly follows: string | null;
}

/**
 * Locks the promotion's row until the transaction ends. Transactions that need it and rows of
 * `dispatch` lock it first: all in one order, so that none waits for another in a circle.
 * NO KEY: rows that refer to the promotion can still be written.
 */
export async function lockPromotion(tables: Tables, promotionId: string): Promise<PromotionDecision> {
  const [row] = await tables.$queryRaw<{ is_rejected: boolean }[]>`
    SELECT rejection IS NOT NULL AS is_rejected FROM promotion WHERE id = ${promotionId}::uuid FOR NO KEY UPDATE`;
  return { isRejected: row?.is_rejected ?? false };
}

/** Ends the promotion, with its record, or notes that it waits, when its targets say so; under the lock. Gives the targets. */
export async function settlePromotion(tables: Tables, promotionId: string, decided: PromotionDecision): Promise<TargetStatus[]> {
  const targets = await targetsOf(tables, promotionId);
  const state = derivePromotionState(targets, decided);
  if (isTerminal(state)) await endPromotion(tables, promotionId, state);
  else if (state === 'waiting') await tables.promotion.updateMany({ where: { id: promotionId, finishedAt: null }, data: { state } });
  return targets;
}

/** A promotion of which targets were taken up again has an end no more, unless those that decide have theirs; under the lock. */
export async function reopenPromotion(tables: Tables, promotionId: string): Promise<void> {
  const state = derivePromotionState(await targetsOf(tables, promotionId));
  if (!isTerminal(state)) await tables.promotion.update({ where: { id: promotionId }, data: { state, finishedAt: null } });
}

interface TargetRow {
  readonly requirement: Requirement;
  readonly state: ItemTargetState;
  readonly outcome: Outcome | null;
  readonly attempts: number;
  readonly location: string;
  readonly follows: string | null;
  readonly is_held: boolean;
  readonly is_tagged: boolean;
}

async function targetsOf(tables: Tables, promotionId: string): Promise<TargetStatus[]> {
  const targets = await tables.$queryRaw<TargetRow[]>`
    SELECT requirement, state, outcome, attempts, location, follows, held_by IS NOT NULL AS is_held,
      EXISTS (SELECT 1 FROM item_target_tag g WHERE g.item_target_id = t.id AND g.outcome = 'written') AS is_tagged
    FROM item_target t WHERE promotion_id = ${promotionId}::uuid`;
  return targets.map(({ outcome, is_held: isHeld, is_tagged: isTagged, ...target }) => ({
    ...target,
    isHeld,
    isTagged,
    ...(outcome === null ? {} : { outcome }),
  }));
}

async function endPromotion(tables: Tables, promotionId: string, state: PromotionState): Promise<void> {
  await tables.$executeRaw`
    WITH ended AS (
      UPDATE promotion SET state = ${state}, finished_at = now() WHERE id = ${promotionId}::uuid AND finished_at IS NULL RETURNING id, rejection
    )
    INSERT INTO provenance_record (kind, promotion_id, subject, body)
    SELECT 'decision', i.promotion_id, i.digest, jsonb_strip_nulls(jsonb_build_object(
      'decision', 'promotion-ended', 'state', ${state}::text, 'reason', ended.rejection ->> 'message'))
    FROM ended JOIN promotion_item i ON i.promotion_id = ended.id ORDER BY i.position`;
}
