import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { day, daysAgo } from '../scene.spec-helper.js';
import { childLinks, keptBy, plan, reachable, removedBy, Seen } from './naive.spec-helper.js';
import { graphs, situations, someProtections, wiped } from './random-repository.spec-helper.js';

const protectedOnes = fc
  .oneof(situations, wiped)
  .chain((situation) => someProtections(situation.snapshot).map((protections) => ({ ...situation, protections })));

describe('invariant 10: what is in use, on its way or the source of a promotion stays', () => {
  it('keeps what runs and the indexes it was deployed from, running promotions and what provenance says stands here', () => {
    const saved = new Seen();

    fc.assert(
      fc.property(protectedOnes, (situation) => {
        const { snapshot, protections } = situation;
        const present = new Set(snapshot.manifests.map(({ digest }) => digest));
        const upwards = childLinks(snapshot).map(({ from, to }) => ({ from: to, to: from }));
        const used = reachable(
          [...protections.inUse.digests.keys()].filter((digest) => present.has(digest)),
          upwards,
        );
        const needed = [...used, ...protections.runningPromotions.flatMap(({ digests }) => digests), ...protections.provenanceTargets];
        const bare = plan(situation, {
          protections: { ...protections, inUse: { digests: new Map(), unknownScopes: [] }, runningPromotions: [] },
        });
        saved.note(needed.some((digest) => removedBy(bare).has(digest)));

        expect([...keptBy(plan(situation))]).toEqual(expect.arrayContaining(needed));
      }),
      graphs,
    );

    expect(saved.count).toBeGreaterThan(0);
  });

  it('keeps what was promoted within the time that any policy says', () => {
    const saved = new Seen();

    fc.assert(
      fc.property(fc.oneof(situations, wiped), fc.integer({ min: 1, max: 100 }), (situation, days) => {
        const policies = situation.policies.map((one, at) => ({
          ...one,
          protect: { ...one.protect, promotedWithinMs: at === 0 ? days * day : 0 },
        }));
        const made = plan(situation, { policies });
        const promoted = situation.snapshot.manifests.filter(({ promotedTo }) => promotedTo.some(({ at }) => at >= daysAgo(days)));
        saved.note(promoted.some(({ digest }) => removedBy(plan(situation)).has(digest)));

        expect([...keptBy(made)]).toEqual(expect.arrayContaining(promoted.map(({ digest }) => digest)));
      }),
      graphs,
    );

    expect(saved.count).toBeGreaterThan(0);
  });
});
