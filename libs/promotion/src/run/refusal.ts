import { PromotionError } from '../promotion-error.js';
import type { RetryPolicy } from './retry-policy.js';
import type { ItemRun, TargetRun } from './run.js';

/**
 * Why no attempt may begin at a target; undefined when one may.
 * Attempts that failed have ended the target before; those counted here broke off, e.g. because the process died.
 */
export function refusalOf(item: ItemRun, target: TargetRun, retry: RetryPolicy): PromotionError | undefined {
  if (target.isReplaced) return replaced(target.registry);
  // Whoever is tagging already needs nothing from the source.
  if (item.isSourceReplaced && target.state !== 'tagging') return replaced(item.source.registry);
  if (target.isWaiting || target.attempts < retry.maxAttempts) return undefined;
  return new PromotionError(
    `all ${target.attempts} attempts broke off without an end: see the logs of the workers, mend the cause and request the promotion again`,
    { code: 'attempts-exhausted', operation: 'promote' },
  );
}

function replaced(registry: string): PromotionError {
  return new PromotionError(
    `registry ${registry} was replaced or removed in the topology since the promotion was requested: request it again`,
    { code: 'registry-replaced', operation: 'promote', details: { registry } },
  );
}
