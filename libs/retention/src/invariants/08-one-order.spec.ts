import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PlanHasher } from '../plan-hash.js';
import type { RepositoryPlan } from '../repository-plan.js';
import type { RepositorySnapshot } from '../snapshot.js';
import { childLinks, plan, reachable, referrerLinks, Seen } from './naive.spec-helper.js';
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

  it('deletes parents before their children, and what is signed before its signature but in a cycle', () => {
    const signed = new Seen();

    fc.assert(
      fc.property(situations, (situation) => {
        const { deletionOrder } = plan(situation);
        const at = new Map(deletionOrder.map((digest, place) => [digest, place]));
        const tangled = beneathCycles(situation.snapshot, new Set(deletionOrder));

        expect(new Set(deletionOrder).size).toBe(deletionOrder.length);
        for (const { digest, children, subject } of situation.snapshot.manifests) {
          const place = at.get(digest);
          if (place === undefined) continue;
          for (const child of children) expect(at.get(child) ?? Number.POSITIVE_INFINITY).toBeGreaterThan(place);
          if (subject === undefined || tangled.has(digest)) continue;
          signed.note(true);
          expect(at.get(subject)).toBeLessThan(place);
        }
      }),
      graphs,
    );

    expect(signed.count).toBeGreaterThan(0);
  });
});

/** Of those manifests: what leads to itself by way of children and referrers, as tags of signatures can have it, and what that leads to. */
function beneathCycles(snapshot: RepositorySnapshot, among: ReadonlySet<string>): ReadonlySet<string> {
  const links = [...childLinks(snapshot), ...referrerLinks(snapshot)].filter(({ from, to }) => among.has(from) && among.has(to));
  const next = (digest: string) => links.filter(({ from }) => from === digest).map(({ to }) => to);
  const cyclic = [...among].filter((digest) => reachable(next(digest), links).has(digest));
  return reachable(cyclic, links);
}
