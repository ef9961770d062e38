import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { day, daysAgo, deleteAll, policy } from '../scene.spec-helper.js';
import { keptBy, plan, Seen } from './naive.spec-helper.js';
import { graphs, wiped } from './random-repository.spec-helper.js';

const refreshed = ['pushed', 'tagged', 'lastActive', 'pulled'] as const;

describe('invariant 9: a retag refreshes the age', () => {
  it.each(refreshed)('keeps what was tagged again within the time of a rule about %s', (of) => {
    const saved = new Seen();

    fc.assert(
      fc.property(wiped, fc.nat(), fc.integer({ min: 4, max: 60 }), (situation, number, days) => {
        const knowledge = { ...situation.snapshot.knowledge, pullsKnownSince: daysAgo(1_000) };
        const manifests = situation.snapshot.manifests.map((one) => ({ ...one, lastPulledAt: 'never' as const }));
        const snapshot = { ...situation.snapshot, knowledge, manifests };
        const policies = [policy([{ ...deleteAll, olderThan: { of, durationMs: days * day } }])];
        const doomed = plan(situation, { policies, snapshot }).tags.filter(
          ({ action, tag }) => action !== 'keep' && !tag.startsWith('sha256-'),
        );
        const again = doomed[number % Math.max(1, doomed.length)];
        if (again === undefined) return;
        saved.note(true);
        const retagged = { taggedAt: daysAgo(3), seenSince: daysAgo(3) };
        const tags = snapshot.tags.map((one) => (one.name === again.tag ? { ...one, ...retagged } : one));

        expect(keptBy(plan(situation, { policies, snapshot: { ...snapshot, tags } }))).toContain(again.digest);
      }),
      graphs,
    );

    expect(saved.count).toBeGreaterThan(0);
  });
});
