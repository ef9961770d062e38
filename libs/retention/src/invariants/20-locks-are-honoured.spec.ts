import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Hold, Protections } from '../protections.js';
import { actionsOf, keptBy, plan, removedBy, Seen } from './naive.spec-helper.js';
import { graphs, type Situation, situations, wiped } from './random-repository.spec-helper.js';

const cases = fc.oneof(situations, wiped);

function protecting({ protections }: Situation, more: Partial<Protections>): Protections {
  return { ...protections, ...more };
}

describe('invariant 20: locks are honoured', () => {
  it('keeps a held digest, a held tag with its digest, and a held repository whole', () => {
    const saved = new Seen();

    fc.assert(
      fc.property(cases, fc.nat(), (situation, number) => {
        const { manifests, tags, repository } = situation.snapshot;
        const held = manifests[number % manifests.length];
        const named = tags[number % Math.max(1, tags.length)];
        const about = { id: 'hold', reason: 'audit' } as const;
        const under = (hold: Hold) => plan(situation, { protections: protecting(situation, { holds: [hold] }) });
        saved.note(removedBy(plan(situation)).has(held?.digest ?? ''));

        expect(keptBy(under({ ...about, kind: 'digest', digest: held?.digest ?? '' }))).toContain(held?.digest);
        expect(under({ ...about, kind: 'repository', repository }).totals.removals).toBe(0);
        if (named === undefined || named.name.startsWith('sha256-')) return;
        const made = under({ ...about, kind: 'tag', repository, tag: named.name });

        expect(actionsOf(made)).toMatchObject({ [`tag ${named.name}`]: 'keep', [named.digest]: 'keep' });
      }),
      graphs,
    );

    expect(saved.count).toBeGreaterThan(0);
  });

  it('never takes an immutable tag, nor its digest', () => {
    const saved = new Seen();

    fc.assert(
      fc.property(cases, (situation) => {
        const isImmutableTag = (name: string) => name.startsWith('v');
        const made = plan(situation, { protections: protecting(situation, { isImmutableTag }) });
        const immutable = made.tags.filter(({ tag }) => isImmutableTag(tag));
        saved.note(immutable.some(({ digest }) => removedBy(plan(situation)).has(digest)));

        expect(immutable.filter(({ action }) => action !== 'keep')).toEqual([]);
      }),
      graphs,
    );

    expect(saved.count).toBeGreaterThan(0);
  });

  it('makes nothing immutable that has no tag', () => {
    const removed = new Seen();

    fc.assert(
      fc.property(cases, (situation) => {
        const snapshot = { ...situation.snapshot, tags: [] };
        const policies = situation.policies.map((one) => ({ ...one, protect: { ...one.protect, immutable: ['*'] } }));
        const protections = protecting(situation, { isImmutableTag: () => true });
        const before = plan(situation, { snapshot });
        removed.note(removedBy(before).size > 0);

        expect(actionsOf(plan(situation, { snapshot, policies, protections }))).toEqual(actionsOf(before));
      }),
      graphs,
    );

    expect(removed.count).toBeGreaterThan(0);
  });
});
