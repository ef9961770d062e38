import { PromotionError } from '../promotion-error.js';
import type { ItemTargetState, Outcome } from '../states.js';

/** An item-target as far as it matters for trying it again. */
export interface EndedTarget {
  readonly id: string;
  readonly registry: string;
  readonly state: ItemTargetState;
  readonly outcome: Outcome | undefined;
  /** The item-target of the prod that this replica follows. */
  readonly follows: string | undefined;
  /** Its registry, or the one that it is fed from, is no longer what the name meant at request. */
  readonly replaced: string | undefined;
}

/**
 * Which targets of a finished promotion are tried again: those that failed or were cancelled. A conflict is not: the tag
 * holds what another writer gave it, and only a new request looks at that. A replica is tried again only where
 * its prod has arrived or is tried again itself, since a replica is never ahead of its prod.
 * @throws PromotionError `nothing-to-retry`; `registry-replaced` when that is all that keeps targets from being tried again (ADR 10)
 */
export function targetsToRetry(targets: readonly EndedTarget[]): EndedTarget[] {
  const unfinished = targets.filter(({ outcome }) => outcome === 'failed' || outcome === 'cancelled');
  const possible = unfinished.filter(({ replaced }) => replaced === undefined);
  const byId = new Map(targets.map((target) => [target.id, target]));
  const mayFollow = (prod: EndedTarget): boolean => prod.state !== 'done' || hasArrived(prod) || possible.includes(prod);
  const chosen = possible.filter(({ follows = '' }) => {
    const prod = byId.get(follows);
    return prod === undefined ? true : mayFollow(prod);
  });
  if (chosen.length === 0) throw refusal(targets, unfinished);
  return chosen;
}

function hasArrived({ outcome }: EndedTarget): boolean {
  return outcome === 'copied' || outcome === 'mounted' || outcome === 'already-present';
}

function refusal(targets: readonly EndedTarget[], unfinished: readonly EndedTarget[]): PromotionError {
  const operation = 'retry promotion';
  const replaced = namesOf(unfinished.map((target) => target.replaced));
  if (replaced.length > 0) {
    return new PromotionError(
      `${replaced.join(', ')} was replaced or removed in the topology since the promotion was requested: request it again`,
      { code: 'registry-replaced', operation, details: { registries: replaced } },
    );
  }
  const conflicts = namesOf(targets.filter(({ outcome }) => outcome === 'conflict').map(({ registry }) => registry));
  const why =
    conflicts.length > 0
      ? `the conflict at ${conflicts.join(', ')} is not tried again: request a new promotion, which shows what the tags hold now`
      : 'no target failed or was cancelled';
  return new PromotionError(`there is nothing to try again: ${why}`, { code: 'nothing-to-retry', operation });
}

function namesOf(names: readonly (string | undefined)[]): string[] {
  return [...new Set(names)].filter((name) => name !== undefined).sort();
}
