import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { asKeeper, compilePolicy } from '../compile/compile-policy.js';
import { planRepository } from '../plan-repository.js';
import { compileProtections } from '../protections.js';
import { now } from '../scene.spec-helper.js';
import { actionsOf, keptBy, plan, removedBy, Seen } from './naive.spec-helper.js';
import { graphs, type Situation, situations, wiped } from './random-repository.spec-helper.js';

const changes: readonly [string, (situation: Situation) => Situation][] = [
  ['no policy at all', (situation) => ({ ...situation, policies: [] })],
  [
    'disabled policies',
    (situation) => ({ ...situation, policies: situation.policies.map((one) => ({ ...one, mode: 'disabled' as const })) }),
  ],
  [
    'policies of other repositories',
    (situation) => ({
      ...situation,
      policies: situation.policies.map((one) => ({ ...one, repositories: { include: ['**'], exclude: ['team/*'] } })),
    }),
  ],
];

describe('invariant 19: nothing goes without a policy', () => {
  it.each(changes)('keeps everything under %s, and says so', (_, change) => {
    fc.assert(
      fc.property(fc.oneof(situations, wiped), (situation) => {
        const made = plan(change(situation));
        const artifacts = made.manifests.map(({ reasons }) => reasons.map(({ code }) => code));

        expect(new Set(Object.values(actionsOf(made)))).toEqual(new Set(['keep']));
        for (const codes of artifacts) expect(codes).toContain('no-policy');
      }),
      graphs,
    );
  });

  it.each(['role-default', 'wipe'] as const)('removes nothing from an archive by a policy of the origin %s', (origin) => {
    const written = new Seen();

    fc.assert(
      fc.property(fc.oneof(situations, wiped), (situation) => {
        const snapshot = { ...situation.snapshot, role: 'archive' as const };
        const policies = situation.policies.map((one) => ({ ...one, origin }));
        written.note(removedBy(plan(situation, { snapshot })).size > 0);

        expect(plan(situation, { snapshot, policies }).totals.removals).toBe(0);
      }),
      graphs,
    );

    expect(written.count).toBeGreaterThan(0);
  });

  it.each(['cache', 'upstream'] as const)('removes nothing from a %s', (role) => {
    fc.assert(
      fc.property(fc.oneof(situations, wiped), (situation) => {
        expect(plan(situation, { snapshot: { ...situation.snapshot, role } }).totals.removals).toBe(0);
      }),
      graphs,
    );
  });

  it('removes nothing for the sake of a policy that only keeps, and keeps what it keeps', () => {
    fc.assert(
      fc.property(situations, wiped, (situation, { policies: [wipe] }) => {
        const keepers = situation.policies.flatMap((one) => compilePolicy(one) ?? []).map(asKeeper);
        const compiled = wipe === undefined ? undefined : compilePolicy(wipe);
        const protections = compileProtections(situation.protections);
        const withWipe = planRepository([...keepers, ...(compiled === undefined ? [] : [compiled])], situation.snapshot, protections, now);
        const keptByRule = plan(situation).manifests.filter(({ reasons }) => reasons.some(({ code }) => code === 'kept-by-rule'));

        expect(planRepository(keepers, situation.snapshot, protections, now).totals.removals).toBe(0);
        expect([...keptBy(withWipe)]).toEqual(expect.arrayContaining(keptByRule.map(({ digest }) => digest)));
      }),
      graphs,
    );
  });
});
