import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { day, daysAgo } from '../scene.spec-helper.js';
import { keptBy, plan, removedBy, Seen, standAlone, userTagged } from './naive.spec-helper.js';
import { graphs, type Situation, situations } from './random-repository.spec-helper.js';

/** The same, of which everything goes by an age of so many days. */
function byAge(situation: Situation, days: number): Situation {
  const policies = situation.policies.map((one) => ({
    ...one,
    untagged: { olderThanMs: days * day },
    rules: one.rules.flatMap((rule) => {
      if (rule.action === 'keep') return [];
      const { absentFrom: _, olderThan, ...others } = rule;
      return [{ ...others, olderThan: { of: olderThan?.of ?? ('pushed' as const), durationMs: days * day } }];
    }),
  }));
  return { ...situation, policies };
}

function untaggedOnes({ snapshot }: Situation): readonly string[] {
  const tagged = userTagged(snapshot);
  return [...standAlone(snapshot)].filter((digest) => !tagged.has(digest));
}

describe('invariant 21: what is pulled by its digest stays', () => {
  it('keeps what no tag names while somebody pulls it', () => {
    const saved = new Seen();

    fc.assert(
      fc.property(situations, fc.integer({ min: 4, max: 60 }), (situation, days) => {
        const aged = byAge(situation, days);
        const manifests = aged.snapshot.manifests.map((one) => ({ ...one, lastPulledAt: daysAgo(3) }));
        const made = plan(aged, { snapshot: { ...aged.snapshot, manifests } });
        saved.note(untaggedOnes(aged).some((digest) => removedBy(plan(aged)).has(digest)));

        expect([...keptBy(made)]).toEqual(expect.arrayContaining([...untaggedOnes(aged)]));
      }),
      graphs,
    );

    expect(saved.count).toBeGreaterThan(0);
  });

  it.each([
    ['was never known', 'unknown' as const],
    ['is known only since lately', daysAgo(3)],
  ])('keeps what no tag names where %s who pulls it', (_, pullsKnownSince) => {
    fc.assert(
      fc.property(situations, fc.integer({ min: 4, max: 60 }), (situation, days) => {
        const aged = byAge(situation, days);
        const knowledge = { ...aged.snapshot.knowledge, pullsKnownSince };
        const made = plan(aged, { snapshot: { ...aged.snapshot, knowledge } });

        expect([...keptBy(made)]).toEqual(expect.arrayContaining([...untaggedOnes(aged)]));
      }),
      graphs,
    );
  });
});
