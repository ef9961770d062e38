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

/** Ends the promotion, with its record, when its targets say so; under the lock. Gives the targets. */
export async function settlePromotion(tables: Tables, promotionId: string, decided: PromotionDecision): Promise<TargetStatus[]> {
  const targets = await targetsOf(tables, promotionId);
  const state = derivePromotionState(targets, decided);
  if (isTerminal(state)) await endPromotion(tables, promotionId, state);
  return targets;
}

async function targetsOf(tables: Tables, promotionId: string): Promise<TargetStatus[]> {
  const targets = await tables.itemTarget.findMany({
    where: { promotionId },
    select: { requirement: true, state: true, outcome: true, attempts: true, location: true, follows: true },
  });
  return targets.map(({ outcome, ...target }) => ({
    ...target,
    requirement: target.requirement as Requirement,
    state: target.state as ItemTargetState,
    ...(outcome === null ? {} : { outcome: outcome as Outcome }),
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
