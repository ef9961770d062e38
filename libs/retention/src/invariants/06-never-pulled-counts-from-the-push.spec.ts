import { describe, expect, it } from '@jest/globals';
import type { RetentionRule } from '@waybill/topology';
import fc from 'fast-check';
import { daysAgo } from '../scene.spec-helper.js';
import { actionsOf, plan, removedBy, Seen } from './naive.spec-helper.js';
import { graphs, situations } from './random-repository.spec-helper.js';

/** The rule, asking for `of` wherever it asks for a time. */
function asking(rule: RetentionRule, of: 'pulled' | 'pushed'): RetentionRule {
  if (rule.action !== 'keep') return rule.olderThan === undefined ? rule : { ...rule, olderThan: { ...rule.olderThan, of } };
  return {
    ...rule,
    ...(rule.within === undefined ? {} : { within: { ...rule.within, of } }),
    ...(rule.mostRecent === undefined ? {} : { mostRecent: { ...rule.mostRecent, by: of } }),
  };
}

describe('invariant 6: what was never pulled counts as pulled when it was pushed', () => {
  it('plans by pulls as by pushes where nothing was ever pulled', () => {
    const removed = new Seen();

    fc.assert(
      fc.property(situations, (situation) => {
        const { snapshot } = situation;
        const manifests = snapshot.manifests.map((one) => ({ ...one, lastPulledAt: 'never' as const, pushedAt: one.firstSeenAt }));
        const knowledge = { ...snapshot.knowledge, pullsKnownSince: daysAgo(1_000) };
        const never = { ...snapshot, manifests, knowledge };
        const by = (of: 'pulled' | 'pushed') =>
          plan(situation, {
            snapshot: never,
            policies: situation.policies.map((one) => ({ ...one, rules: one.rules.map((rule) => asking(rule, of)) })),
          });
        removed.note(removedBy(by('pulled')).size > 0);

        expect(actionsOf(by('pulled'))).toEqual(actionsOf(by('pushed')));
      }),
      graphs,
    );

    expect(removed.count).toBeGreaterThan(0);
  });
});
