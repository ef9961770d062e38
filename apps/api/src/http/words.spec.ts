import { describe, expect, it } from '@jest/globals';
import { verbs } from '@waybill/access';
import { Grant, outcomeNames, promotionStateNames, targetStateNames, verbNames } from '@waybill/contracts/http';
import { itemTargetStates, outcomes, promotionStates } from '@waybill/promotion';

/** Clients know the contracts alone, and contracts may import no rules: so the words stand twice, and here they meet. */
describe('words of the contracts', () => {
  it.each([
    ['states of a promotion', promotionStateNames, promotionStates],
    ['states of a target', targetStateNames, itemTargetStates],
    ['outcomes', outcomeNames, outcomes],
    ['verbs', verbNames, verbs],
  ])('%s are those of the rules', (_what, ofContracts, ofRules) => {
    expect([...ofContracts].sort()).toEqual([...ofRules].sort());
  });

  it('let the administrator’s grants be shown', () => {
    expect(Grant.safeParse({ verbs, paths: ['*'], repositories: ['**'] }).success).toBe(true);
  });
});
