import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PlanHasher } from '../plan-hash.js';
import type { RepositoryPlan } from '../repository-plan.js';
import { childLinks, type Link, plan, reachable, referrerLinks, Seen } from './naive.spec-helper.js';
import { graphs, type Situation, situations } from './random-repository.spec-helper.js';

function hashOf(made: RepositoryPlan): string {
  const hasher = new PlanHasher();
  hasher.add(made);
  return hasher.digest();
}

function shuffled<T>(items: readonly T[]): fc.Arbitrary<readonly T[]> {
  return fc.shuffledSubarray([...items], { minLength: items.length });
}

/** The same situation, told in another order. */
const toldTwice = situations.chain((situation) =>
  fc
    .tuple(
      shuffled(situation.snapshot.manifests),
      shuffled(situation.snapshot.tags),
      shuffled(situation.policies),
      shuffled(situation.protections.holds),
    )
    .map(([manifests, tags, policies, holds]): readonly [Situation, Situation] => [
      situation,
      {
        policies,
        snapshot: {
          ...situation.snapshot,
          tags,
          manifests: manifests.map((one) => ({
            ...one,
            children: one.children.toReversed(),
            absences: one.absences.toReversed(),
            blobs: [...one.blobs].reverse(),
            promotedTo: one.promotedTo.toReversed(),
          })),
        },
        protections: { ...situation.protections, holds },
      },
    ]),
);

describe('invariant 8: one total order', () => {
  it('makes one plan of a situation, in whatever order it is told', () => {
    fc.assert(
      fc.property(toldTwice, ([one, other]) => {
        expect(plan(other)).toEqual(plan(one));
        expect(hashOf(plan(other))).toBe(hashOf(plan(one)));
      }),
      graphs,
    );
  });

  it('deletes parents before their children, and what is referred to before what refers to it, but for each other', () => {
    const signed = new Seen();

    fc.assert(
      fc.property(situations, (situation) => {
        const { deletionOrder } = plan(situation);
        const at = new Map(deletionOrder.map((digest, place) => [digest, place]));
        const placeOf = (digest: string) => at.get(digest) ?? Number.NaN;
        const among = ({ from, to }: Link) => at.has(from) && at.has(to);
        const [listed, referring] = [childLinks(situation.snapshot).filter(among), referrerLinks(situation.snapshot).filter(among)];

        expect(at.size).toBe(deletionOrder.length);
        for (const { from, to } of listed) expect(placeOf(from)).toBeLessThan(placeOf(to));
        for (const { from, to } of referring) {
          const referToEachOther = reachable([to], [...listed, ...referring]).has(from);
          if (referToEachOther) continue;
          signed.note(true);
          expect(placeOf(from)).toBeLessThan(placeOf(to));
        }
      }),
      graphs,
    );

    expect(signed.count).toBeGreaterThan(0);
  });
});
