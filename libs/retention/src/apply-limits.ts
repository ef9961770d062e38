import type { DeletionLimits } from '@waybill/topology';
import type { RepositoryPlan } from './repository-plan.js';

/** What a run would remove of one registry. */
export interface PlannedRemovals {
  /** Logical artifacts, and tags that are taken off. */
  readonly count: number;
  readonly bytesAtMost: number;
  /** Of the registry's logical artifacts. */
  readonly percent: number;
}

export interface ExceededLimit {
  readonly limit: keyof DeletionLimits;
  readonly allowed: number;
  readonly planned: number;
}

/** Beyond any limit nothing at all is removed. */
export type LimitVerdict =
  | { readonly kind: 'within'; readonly planned: PlannedRemovals }
  | { readonly kind: 'exceeded'; readonly planned: PlannedRemovals; readonly exceeded: readonly ExceededLimit[] };

/**
 * Holds a run's plans against the policy's limits.
 * @param totals logical artifacts of the whole registry, also of repositories that no policy selects
 */
export function applyLimits(
  plans: Iterable<Pick<RepositoryPlan, 'totals' | 'reclaimableBytesAtMost'>>,
  limits: DeletionLimits,
  totals: { readonly artifacts: number },
): LimitVerdict {
  let count = 0;
  let bytesAtMost = 0;
  for (const plan of plans) {
    count += plan.totals.removals;
    bytesAtMost += plan.reclaimableBytesAtMost;
  }
  const planned = { count, bytesAtMost, percent: count === 0 ? 0 : (100 * count) / totals.artifacts };
  const exceeded = exceededBy(planned, limits);
  return exceeded.length === 0 ? { kind: 'within', planned } : { kind: 'exceeded', planned, exceeded };
}

/** A share of nothing, or of what nobody counted, is within no limit. */
function exceededBy({ count, bytesAtMost, percent }: PlannedRemovals, limits: DeletionLimits): readonly ExceededLimit[] {
  const all: readonly ExceededLimit[] = [
    { limit: 'maxDeletePercent', allowed: limits.maxDeletePercent, planned: percent },
    { limit: 'maxDeleteCount', allowed: limits.maxDeleteCount, planned: count },
    { limit: 'maxDeleteBytes', allowed: limits.maxDeleteBytes, planned: bytesAtMost },
  ];
  return all.filter(({ allowed, planned }) => !(planned <= allowed));
}
