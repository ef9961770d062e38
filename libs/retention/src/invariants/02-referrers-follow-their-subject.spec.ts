import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { daysAgo } from '../scene.spec-helper.js';
import { actionsOf, keptBy, plan, referrerLinks, removedBy, Seen, userTagged } from './naive.spec-helper.js';
import { graphs, situations, wiped } from './random-repository.spec-helper.js';

describe('invariant 2: referrers live and die with their subject', () => {
  it.each([
    ['any policies', situations],
    ['a policy that removes everything', wiped],
  ])('by subject, referrers tag or cosign tag, under %s', (_, cases) => {
    const gone = new Seen();

    fc.assert(
      fc.property(cases, (situation) => {
        const made = plan(situation);
        const kept = keptBy(made);
        const parted = referrerLinks(situation.snapshot).filter(({ from, to }) => kept.has(from) !== kept.has(to));
        gone.note(referrerLinks(situation.snapshot).some(({ from }) => !kept.has(from)));

        expect(parted).toEqual([]);
      }),
      graphs,
    );

    expect(gone.count).toBeGreaterThan(0);
  });

  it('never on their own age', () => {
    const removed = new Seen();

    fc.assert(
      fc.property(situations, fc.constantFrom(2, 300), (situation, days) => {
        const { snapshot } = situation;
        const tagged = userTagged(snapshot);
        const time = daysAgo(days);
        const manifests = snapshot.manifests.map((one) =>
          one.subject === undefined || tagged.has(one.digest)
            ? one
            : { ...one, createdAt: time, pushedAt: time, untaggedAt: time, lastPulledAt: time },
        );
        const before = plan(situation);
        removed.note(manifests.some(({ digest, subject }) => subject !== undefined && removedBy(before).has(digest)));

        expect(actionsOf(plan(situation, { snapshot: { ...snapshot, manifests } }))).toEqual(actionsOf(before));
      }),
      graphs,
    );

    expect(removed.count).toBeGreaterThan(0);
  });
});
