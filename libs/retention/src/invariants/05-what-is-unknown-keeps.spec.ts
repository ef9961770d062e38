import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { KnownTime, SnapshotManifest, SnapshotTag } from '../snapshot.js';
import { keptBy, plan, removedBy, Seen } from './naive.spec-helper.js';
import { absurdTime, graphs, situations } from './random-repository.spec-helper.js';

function withoutFacts(one: SnapshotManifest, time: KnownTime): SnapshotManifest {
  const absences = one.absences.map(({ registry }) => ({ registry, since: 'unknown' as const }));
  return {
    ...one,
    createdAt: time,
    pushedAt: time,
    untaggedAt: time,
    lastPulledAt: time,
    platforms: 'unknown',
    lacksAnnotations: true,
    annotations: {},
    absences,
  };
}

describe('invariant 5: missing or absurd metadata keeps', () => {
  it('keeps all that was kept, and what is blank besides', () => {
    const saved = new Seen();

    fc.assert(
      fc.property(situations, absurdTime, fc.integer({ min: 2, max: 3 }), (situation, time, each) => {
        const { snapshot } = situation;
        // The minimum counts what was seen last where it does not know what was pushed last.
        const policies = situation.policies.map((one) => ({ ...one, protect: { ...one.protect, minKeepPerRepository: 0 } }));
        const manifests = snapshot.manifests.map((one, at) => (at % each === 0 ? withoutFacts(one, time) : one));
        const tags = snapshot.tags.map((one, at): SnapshotTag => (at % each === 0 ? { ...one, taggedAt: time } : one));
        const knowledge = { ...snapshot.knowledge, referrersKnownOf: 'tagged' as const };
        const before = plan(situation, { policies });
        const after = plan(situation, { policies, snapshot: { ...snapshot, knowledge, manifests, tags } });
        saved.note(keptBy(after).size > keptBy(before).size);

        expect([...keptBy(after)]).toEqual(expect.arrayContaining([...keptBy(before)]));
      }),
      graphs,
    );

    expect(saved.count).toBeGreaterThan(0);
  });

  it('removes nothing by an age that it does not know, and says so', () => {
    const unknown = new Seen();

    fc.assert(
      fc.property(situations, absurdTime, (situation, time) => {
        const policies = situation.policies.map((one) => ({
          ...one,
          rules: one.rules.filter((rule) => rule.action === 'keep' || (rule.olderThan !== undefined && rule.criteria === 'all')),
        }));
        const manifests = situation.snapshot.manifests.map((one) => withoutFacts(one, time));
        const tags = situation.snapshot.tags.map((one) => ({ ...one, taggedAt: time }));
        const made = plan(situation, { policies, snapshot: { ...situation.snapshot, manifests, tags } });
        const blank = [...made.manifests, ...made.tags].filter(({ reasons }) => reasons.some(({ code }) => code === 'time-unknown'));
        unknown.note(blank.some(({ isUnknown }) => isUnknown));

        expect(removedBy(made).size).toBe(0);
      }),
      graphs,
    );

    expect(unknown.count).toBeGreaterThan(0);
  });
});
