import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { derivePromotionState, isSettled, isTerminal, type ItemTargetStatus } from './derive-promotion-state.js';
import { itemTargetStates, outcomes, promotionStates } from './states.js';

const untouched: ItemTargetStatus = { requirement: 'required', state: 'pending', attempts: 0 };
const retried: ItemTargetStatus = { ...untouched, attempts: 1 };
const copying: ItemTargetStatus = { ...untouched, state: 'copying', attempts: 1 };
const replicaCopying: ItemTargetStatus = { ...copying, requirement: 'best-effort' };

function done(outcome: (typeof outcomes)[number]): ItemTargetStatus {
  return { requirement: 'required', state: 'done', outcome, attempts: 1 };
}

const open: fc.Arbitrary<Omit<ItemTargetStatus, 'requirement'>> = fc.record({
  state: fc.constantFrom(...itemTargetStates.filter((state) => state !== 'done')),
  attempts: fc.nat({ max: 3 }),
});
const ended: fc.Arbitrary<Omit<ItemTargetStatus, 'requirement'>> = fc.record({
  state: fc.constant('done' as const),
  outcome: fc.constantFrom(...outcomes),
  attempts: fc.nat({ max: 3 }),
});
const required = fc.array(
  fc.oneof(open, ended).map((facts): ItemTargetStatus => ({ ...facts, requirement: 'required' })),
  { minLength: 1, maxLength: 5 },
);
const bestEffort = fc.array(
  fc.oneof(open, ended).map((facts): ItemTargetStatus => ({ ...facts, requirement: 'best-effort' })),
  { maxLength: 5 },
);

describe('derivePromotionState', () => {
  it.each<[string, readonly ItemTargetStatus[]]>([
    ['requested', [untouched]],
    ['requested', [untouched, untouched]],
    ['requested', [untouched, replicaCopying]],
    ['running', [retried]],
    ['running', [copying, untouched]],
    ['running', [done('copied'), untouched]],
    ['running', [done('failed'), copying]],
    ['succeeded', [done('copied')]],
    ['succeeded', [done('mounted'), done('already-present')]],
    ['succeeded', [done('copied'), replicaCopying]],
    ['partial', [done('copied'), done('failed')]],
    ['partial', [done('already-present'), done('conflict')]],
    ['partial', [done('copied'), done('superseded')]],
    ['partial', [done('mounted'), done('cancelled')]],
    ['failed', [done('failed')]],
    ['failed', [done('conflict')]],
    ['failed', [done('failed'), done('superseded'), done('cancelled')]],
    ['cancelled', [done('cancelled')]],
    ['cancelled', [done('cancelled'), done('superseded')]],
    ['superseded', [done('superseded'), done('superseded')]],
    ['failed', [{ requirement: 'required', state: 'done', attempts: 1 }]],
    ['waiting', [{ ...untouched, isHeld: true }]],
    ['waiting', [{ ...retried, isHeld: true }, done('copied')]],
    ['waiting', [{ ...untouched, isHeld: true }, replicaCopying]],
    ['running', [{ ...untouched, isHeld: true }, copying]],
    ['running', [{ ...retried, isHeld: true }, retried]],
    ['partial', [{ ...done('cancelled'), isTagged: true }]],
    ['partial', [{ ...done('cancelled'), isTagged: true }, done('superseded')]],
    ['failed', [{ ...done('cancelled'), isTagged: true }, done('failed')]],
    ['failed', [{ ...done('failed'), isTagged: true }]],
  ])('is %s', (state, itemTargets) => {
    expect(derivePromotionState(itemTargets)).toBe(state);
  });

  it.each([[[untouched]], [[done('cancelled')]], [[done('failed'), done('cancelled')]]])(
    'is rejected when that was decided, whatever %j says',
    (itemTargets) => {
      expect(derivePromotionState(itemTargets, { isRejected: true })).toBe('rejected');
      expect(derivePromotionState(itemTargets, { isRejected: false })).toBe(derivePromotionState(itemTargets));
    },
  );

  it('never changes with best-effort targets', () => {
    fc.assert(
      fc.property(required, bestEffort, (targets, replicas) => {
        expect(derivePromotionState([...replicas, ...targets])).toBe(derivePromotionState(targets));
      }),
    );
  });

  it('is terminal exactly when every required target is done', () => {
    fc.assert(
      fc.property(required, bestEffort, (targets, replicas) => {
        const isOver = targets.every(({ state }) => state === 'done');
        expect(isTerminal(derivePromotionState([...targets, ...replicas]))).toBe(isOver);
      }),
    );
  });

  it('does not depend on the order of targets', () => {
    fc.assert(
      fc.property(required, (targets) => {
        expect(derivePromotionState(targets.toReversed())).toBe(derivePromotionState(targets));
      }),
    );
  });
});

describe('isTerminal', () => {
  it('holds for every state but those on the way', () => {
    expect(promotionStates.filter((state) => !isTerminal(state))).toEqual(['requested', 'waiting', 'running']);
  });
});

describe('isSettled', () => {
  it.each([
    [true, [done('copied'), done('failed')]],
    [false, [done('copied'), replicaCopying]],
  ])('is %s', (settled, itemTargets) => {
    expect(isSettled(itemTargets)).toBe(settled);
  });
});
