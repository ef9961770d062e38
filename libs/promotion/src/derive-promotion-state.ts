import type { ItemTargetState, Outcome, PromotionState, Requirement } from './states.js';

export interface ItemTargetStatus {
  readonly requirement: Requirement;
  readonly state: ItemTargetState;
  readonly outcome?: Outcome;
  readonly attempts: number;
  /** It waits for a pause to end. */
  readonly isHeld?: boolean;
  /** At least one of its tags was written, however it ended. */
  readonly isTagged?: boolean;
}

/**
 * The state of a promotion follows from its required item-targets alone:
 * a replica that lags or fails is shown by its own state. Where some succeeded and
 * some did not it is `partial`; without any success the worst ending counts. It is `waiting` while
 * everything that is left waits for a pause to end.
 * That it was rejected is a decision of its own, which the targets cannot show.
 */
export function derivePromotionState(
  itemTargets: readonly ItemTargetStatus[],
  decided: { readonly isRejected: boolean } = { isRejected: false },
): PromotionState {
  if (decided.isRejected) return 'rejected';
  const required = itemTargets.filter((target) => target.requirement === 'required');
  const open = required.filter((target) => target.state !== 'done');
  if (open.length > 0) {
    if (open.every(({ isHeld }) => isHeld === true)) return 'waiting';
    return required.every((target) => target.state === 'pending' && target.attempts === 0) ? 'requested' : 'running';
  }
  const endings = new Set(required.map(endingOf));
  for (const ending of ['failed', 'cancelled', 'superseded'] as const) {
    if (!endings.has(ending)) continue;
    return endings.has('succeeded') || (ending === 'cancelled' && required.some(cutOffAfterATag)) ? 'partial' : ending;
  }
  return 'succeeded';
}

/** A finished promotion whose best-effort targets still run is not over for those who wait for all of it. */
export function isSettled(itemTargets: readonly Pick<ItemTargetStatus, 'state'>[]): boolean {
  return itemTargets.every((target) => target.state === 'done');
}

export function isTerminal(state: PromotionState): boolean {
  return state !== 'requested' && state !== 'waiting' && state !== 'running';
}

/** Something of it arrived, although the target as a whole did not. */
function cutOffAfterATag({ outcome, isTagged }: ItemTargetStatus): boolean {
  return outcome === 'cancelled' && isTagged === true;
}

function endingOf(target: ItemTargetStatus): 'succeeded' | 'failed' | 'cancelled' | 'superseded' {
  switch (target.outcome) {
    case 'copied':
    case 'mounted':
    case 'already-present':
      return 'succeeded';
    case 'superseded':
    case 'cancelled':
      return target.outcome;
    default:
      return 'failed';
  }
}
