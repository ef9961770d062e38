import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PlanHasher } from '../plan-hash.js';
import { reasonCodes } from '../reasons.js';
import type { RepositoryPlan } from '../repository-plan.js';
import { plan, Seen } from './naive.spec-helper.js';
import { graphs, situations } from './random-repository.spec-helper.js';

function hashOf(plans: readonly RepositoryPlan[]): string {
  const hasher = new PlanHasher();
  for (const one of plans) hasher.add(one);
  return hasher.digest();
}

function at<T>(items: readonly T[], place: number, change: (item: T) => T): readonly T[] {
  return items.map((item, index) => (index === place % items.length ? change(item) : item));
}

/** Everything that could be otherwise in a plan, each in one place. */
const changes: readonly [string, (made: RepositoryPlan, place: number) => RepositoryPlan][] = [
  ['the repository', (made) => ({ ...made, repository: `${made.repository}-2` })],
  ['a digest', (made, place) => ({ ...made, manifests: at(made.manifests, place, (one) => ({ ...one, digest: `${one.digest}0` })) })],
  [
    'an action',
    (made, place) => ({
      ...made,
      manifests: at(made.manifests, place, (one) => ({ ...one, action: one.action === 'keep' ? ('delete' as const) : ('keep' as const) })),
    }),
  ],
  [
    'where it is archived',
    (made, place) => ({ ...made, manifests: at(made.manifests, place, (one) => ({ ...one, archiveTo: ['other'] })) }),
  ],
  ['a reason', (made, place) => ({ ...made, manifests: at(made.manifests, place, (one) => ({ ...one, reasons: one.reasons.slice(1) })) })],
  [
    'the policy of a reason',
    (made, place) => ({
      ...made,
      manifests: at(made.manifests, place, (one) => ({ ...one, reasons: one.reasons.map((reason) => ({ ...reason, policy: 'other' })) })),
    }),
  ],
  ['the bytes', (made) => ({ ...made, reclaimableBytesAtMost: made.reclaimableBytesAtMost + 1 })],
];

describe('invariant 15: the plan that is shown is the plan that is executed', () => {
  it.each(changes)('has another hash when %s is another', (_, change) => {
    fc.assert(
      fc.property(situations, fc.nat(), (situation, place) => {
        const made = plan(situation);

        expect(hashOf([change(made, place)])).not.toBe(hashOf([made]));
      }),
      graphs,
    );
  });

  it('has another hash when it deletes in another order, or decides otherwise about a tag', () => {
    const seen = new Seen();

    fc.assert(
      fc.property(situations, fc.nat(), (situation, place) => {
        const made = plan(situation);
        if (made.deletionOrder.length < 2 || made.tags.length === 0) return;
        seen.note(true);

        expect(hashOf([{ ...made, deletionOrder: made.deletionOrder.toReversed() }])).not.toBe(hashOf([made]));
        expect(hashOf([{ ...made, tags: at(made.tags, place, (one) => ({ ...one, digest: `${one.digest}0` })) }])).not.toBe(hashOf([made]));
      }),
      graphs,
    );

    expect(seen.count).toBeGreaterThan(0);
  });

  it('is of all repositories in their order, and of no other order', () => {
    fc.assert(
      fc.property(situations, (situation) => {
        const first = plan(situation);
        const second = { ...first, repository: `${first.repository}-2` };

        expect(hashOf([first, second])).not.toBe(hashOf([first]));
        expect(() => hashOf([second, first])).toThrow(expect.objectContaining({ code: 'plans-out-of-order' }));
        expect(() => hashOf([first, first])).toThrow(expect.objectContaining({ code: 'plans-out-of-order' }));
      }),
      graphs,
    );
  });

  it('decides about everything, once, with reasons of the closed list', () => {
    fc.assert(
      fc.property(situations, (situation) => {
        const { snapshot, policies } = situation;
        const made = plan(situation);
        const names = new Set(policies.map(({ name }) => name));
        const decisions = [...made.manifests, ...made.tags];

        expect(made.manifests.map(({ digest }) => digest)).toEqual(snapshot.manifests.map(({ digest }) => digest).sort());
        expect(made.tags.map(({ tag }) => tag)).toEqual(snapshot.tags.map(({ name }) => name).sort());
        for (const { reasons } of decisions) {
          expect(reasons.length).toBeGreaterThan(0);
          for (const { code, policy } of reasons) {
            expect(reasonCodes).toContain(code);
            if (policy !== undefined) expect(names).toContain(policy);
          }
        }
      }),
      graphs,
    );
  });
});
