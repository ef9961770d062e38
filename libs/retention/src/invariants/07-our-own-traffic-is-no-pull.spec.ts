import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { actionsOf, plan, removedBy, Seen } from './naive.spec-helper.js';
import { graphs, otherRegistries, situations } from './random-repository.spec-helper.js';
import { daysAgo } from '../scene.spec-helper.js';

describe('invariant 7: what Waybill reads itself is no pull', () => {
  it('takes no promotion or replication for one, where no rule asks about them', () => {
    const removed = new Seen();

    fc.assert(
      fc.property(situations, fc.constantFrom(...otherRegistries), (situation, registry) => {
        const policies = situation.policies.map((one) => ({
          ...one,
          protect: { ...one.protect, promotedWithinMs: 0 },
          rules: one.rules.filter(
            (rule) =>
              rule.match.promotedTo === undefined &&
              rule.match.source === undefined &&
              (rule.action !== 'keep' || rule.mostRecent?.by !== 'promoted'),
          ),
        }));
        const manifests = situation.snapshot.manifests.map((one) => ({
          ...one,
          promotedTo: [...one.promotedTo, { registry, at: daysAgo(2) }],
          sources: [registry],
        }));
        const before = plan(situation, { policies });
        removed.note(removedBy(before).size > 0);

        expect(actionsOf(plan(situation, { policies, snapshot: { ...situation.snapshot, manifests } }))).toEqual(actionsOf(before));
      }),
      graphs,
    );

    expect(removed.count).toBeGreaterThan(0);
  });
});
