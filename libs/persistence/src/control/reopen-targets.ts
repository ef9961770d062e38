import { type EndedTarget, type ItemTargetState, type Outcome, PromotionError } from '@waybill/promotion';
import type { Tables } from '../database.js';
import { requireKept } from '../run/keep-content.js';
import { reopenDispatches } from '../run/outbox.js';
import { reopenPromotion } from '../run/settle-promotion.js';
import type { Decision } from './decision.js';

interface TargetRow {
  readonly id: string;
  readonly registry: string;
  readonly state: ItemTargetState;
  readonly outcome: Outcome | null;
  readonly follows: string | null;
  readonly replaced: string | null;
}

/**
 * The targets of a promotion that has ended; under its lock.
 * @throws PromotionError `promotion-unfinished`, `path-removed`
 */
export async function endedTargets(tables: Tables, promotionId: string): Promise<EndedTarget[]> {
  const [promotion] = await tables.$queryRaw<{ path: string; is_over: boolean; is_path_removed: boolean; is_rejected: boolean }[]>`
    SELECT p.path, p.rejection IS NOT NULL AS is_rejected, active.document -> 'paths' -> p.path IS NULL AS is_path_removed,
      p.finished_at IS NOT NULL AND NOT EXISTS (
        -- Workers are still stopping what is left of a cancelled promotion.
        SELECT 1 FROM promotion_cancellation c JOIN item_target t ON t.promotion_id = c.promotion_id AND t.state <> 'done'
        WHERE c.promotion_id = p.id) AS is_over
    FROM promotion p CROSS JOIN LATERAL (SELECT document FROM topology_revision ORDER BY number DESC LIMIT 1) active
    WHERE p.id = ${promotionId}::uuid`;
  if (promotion?.is_over !== true) throw refusal('promotion-unfinished', 'the promotion has not ended yet: wait for that, or cancel it');
  if (promotion.is_path_removed) throw refusal('path-removed', `path ${promotion.path} was removed from the topology`);
  if (promotion.is_rejected) throw refusal('nothing-to-retry', 'the promotion was rejected as a whole: request a new one');
  const rows = await tables.$queryRaw<TargetRow[]>`
    SELECT t.id, r.name AS registry, t.state, t.outcome, t.follows,
      CASE WHEN r.replaced_at IS NOT NULL THEN r.name WHEN s.replaced_at IS NOT NULL THEN s.name END AS replaced
    FROM item_target t JOIN registry r ON r.id = t.registry_id
      JOIN promotion_item i ON i.id = t.item_id JOIN registry s ON s.id = i.source_registry_id
    WHERE t.promotion_id = ${promotionId}::uuid ORDER BY i.position, t.id`;
  return rows.map(({ outcome, follows, replaced, ...row }) => ({
    ...row,
    outcome: outcome ?? undefined,
    follows: follows ?? undefined,
    replaced: replaced ?? undefined,
  }));
}

/**
 * Everything as it was accepted: tickets and expected digests stay, and what was copied is found again.
 * @throws PromotionError `being-deleted`
 */
export async function reopenTargets(tables: Tables, promotionId: string, targets: readonly EndedTarget[]): Promise<void> {
  const reopened = await tables.$queryRaw<{ location: string }[]>`
    UPDATE item_target SET state = 'pending', outcome = NULL, attempts = 0, error = NULL, due_at = NULL, waiting_since = NULL,
      started_at = NULL, finished_at = NULL
    WHERE id = ANY(${targets.map(({ id }) => id)}::uuid[]) RETURNING location`;
  await requireKept(tables, { targets: targets.map(({ id }) => id) });
  await tables.promotionCancellation.deleteMany({ where: { promotionId } });
  await reopenPromotion(tables, promotionId);
  await reopenDispatches(tables, promotionId, [...new Set(reopened.map(({ location }) => location))]);
}

export async function recordRetry(tables: Tables, { by, reason }: Decision, targets: readonly EndedTarget[]): Promise<void> {
  await tables.$executeRaw`
    INSERT INTO provenance_record (kind, promotion_id, subject, body)
    SELECT 'decision', i.promotion_id, i.digest, jsonb_strip_nulls(jsonb_build_object(
      'decision', 'retry-requested', 'requestedBy', ${by}::uuid, 'reason', ${reason ?? null}::text,
      'targets', (SELECT jsonb_agg(jsonb_build_object('registry', r.name, 'repository', t.repository) ORDER BY r.name)
                  FROM item_target t JOIN registry r ON r.id = t.registry_id
                  WHERE t.item_id = i.id AND t.id = ANY(${targets.map(({ id }) => id)}::uuid[]))))
    FROM promotion_item i
    WHERE i.id IN (SELECT item_id FROM item_target WHERE id = ANY(${targets.map(({ id }) => id)}::uuid[])) ORDER BY i.position`;
}

function refusal(code: 'promotion-unfinished' | 'path-removed' | 'nothing-to-retry', message: string): PromotionError {
  return new PromotionError(message, { code, operation: 'retry promotion' });
}
