import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { daysAgo } from '../scene.spec-helper.js';
import type { Absence } from '../snapshot.js';
import { actionsOf, keptBy, plan, removedBy, Seen } from './naive.spec-helper.js';
import { graphs, otherRegistries, type Situation, wiped, situations } from './random-repository.spec-helper.js';

function withAbsences(situation: Situation, since: Absence['since']): Situation {
  const absences = otherRegistries.map((registry) => ({ registry, since }));
  const manifests = situation.snapshot.manifests.map((one) => ({ ...one, absences }));
  return { ...situation, snapshot: { ...situation.snapshot, manifests } };
}

describe('invariant 17: a deletion at one registry causes none at another', () => {
  it('removes the same whatever is gone elsewhere, unless a rule asks', () => {
    const removed = new Seen();

    fc.assert(
      fc.property(situations, (situation) => {
        const policies = situation.policies.map((one) => ({
          ...one,
          rules: one.rules.filter((rule) => rule.action === 'keep' || rule.absentFrom === undefined),
        }));
        const present = plan(withAbsences({ ...situation, policies }, 'present'));
        removed.note(removedBy(present).size > 0);

        expect(actionsOf(plan(withAbsences({ ...situation, policies }, daysAgo(400))))).toEqual(actionsOf(present));
      }),
      graphs,
    );

    expect(removed.count).toBeGreaterThan(0);
  });

  it.each([
    ['is', 'present' as const],
    ['may be', 'unknown' as const],
  ])('keeps at a replica all that %s at its prod, whatever the policies say', (_, since) => {
    fc.assert(
      fc.property(fc.oneof(situations, wiped), (situation) => {
        const { snapshot } = withAbsences(situation, since);

        expect(removedBy(plan(situation, { snapshot: { ...snapshot, role: 'replica', replicaOf: 'prod' } })).size).toBe(0);
      }),
      graphs,
    );
  });

  it('leaves what a prod gave up to the policies of its replica, immutable tags with it', () => {
    const removed = new Seen();

    fc.assert(
      fc.property(wiped, (situation) => {
        const { snapshot } = withAbsences(situation, daysAgo(40));
        const protections = { ...situation.protections, isImmutableTag: () => true };
        const replica = plan(situation, { protections, snapshot: { ...snapshot, role: 'replica', replicaOf: 'prod' } });
        // What Waybill brought to a replica is no more its own than what its prod gave up.
        const elsewhere = plan(situation, { snapshot, protections: { ...situation.protections, provenanceTargets: new Set() } });
        removed.note(removedBy(replica).size > 0);

        expect(keptBy(replica)).toEqual(keptBy(elsewhere));
      }),
      graphs,
    );

    expect(removed.count).toBeGreaterThan(0);
  });
});
