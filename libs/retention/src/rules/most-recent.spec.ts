import { describe, expect, it } from '@jest/globals';
import type { MostRecent } from '@waybill/topology';
import { daysAgo, deleteAll, digest, manifest, planOf, policy, snapshot, tag } from '../scene.spec-helper.js';
import type { RepositorySnapshot, SnapshotManifest } from '../snapshot.js';

function keptTags(mostRecent: MostRecent, of: RepositorySnapshot): readonly string[] {
  const rule = { name: 'recent', action: 'keep', match: { tagState: 'tagged' }, criteria: 'any', mostRecent } as const;
  const plan = planOf([policy([rule, deleteAll])], of);
  return plan.tags.filter(({ action }) => action === 'keep').map((decision) => decision.tag);
}

/** Artifacts named like their tags, pushed and tagged so many days ago. */
function pushed(days: Readonly<Record<string, number>>, facts: Partial<SnapshotManifest> = {}): RepositorySnapshot {
  return snapshot({
    manifests: Object.entries(days).map(([name, age]) => manifest(name, { pushedAt: daysAgo(age), ...facts })),
    tags: Object.entries(days).map(([name, age]) => tag(name, name, { taggedAt: daysAgo(age), seenSince: daysAgo(age) })),
  });
}

describe('the most recent', () => {
  it('are so many as the rule says', () => {
    expect(keptTags({ by: 'pushed', count: 2 }, pushed({ a: 40, b: 30, c: 20 }))).toEqual(['b', 'c']);
  });

  it('are of each group', () => {
    const of = pushed({ 'main-b1': 40, 'main-b2': 30, 'dev-b1': 90, 'dev-b2': 80, latest: 100 });

    expect(keptTags({ by: 'pushed', count: 1, groupBy: '^(.+)-b\\d+$' }, of)).toEqual(['dev-b2', 'latest', 'main-b2']);
  });

  it('are grouped by all that the expression finds where it has no group', () => {
    expect(keptTags({ by: 'pushed', count: 1, groupBy: '^[a-z]+' }, pushed({ 'a-1': 40, 'a-2': 30, 'b-1': 90 }))).toEqual(['a-2', 'b-1']);
  });

  it('are versions in the order of versions', () => {
    const of = pushed({ '1.10.0': 90, '1.9.0': 20, '2.0.0-rc.1': 30, '2.0.0': 95, 'v0.1.0': 2 });

    expect(keptTags({ by: 'semver', count: 3 }, of)).toEqual(['1.10.0', '2.0.0', '2.0.0-rc.1']);
  });

  it('are by digest where they are equally recent', () => {
    const names = ['a', 'b', 'c'];
    const first = names.toSorted((one, other) => (digest(one) < digest(other) ? -1 : 1)).slice(0, 2);

    expect(keptTags({ by: 'pushed', count: 2 }, pushed({ a: 40, b: 40, c: 40 }))).toEqual(first.toSorted());
  });

  it('leave no place to what has an unknown time, which stays beside them', () => {
    const { manifests, tags } = pushed({ a: 40, b: 30, c: 20 });
    const of = snapshot({ manifests: [...manifests, manifest('d', { pushedAt: 'unknown' })], tags: [...tags, tag('d', 'd')] });

    expect(keptTags({ by: 'pushed', count: 2 }, of)).toEqual(['b', 'c', 'd']);
  });

  it('count an artifact with two tags once', () => {
    const of = pushed({ a: 40, b: 30, c: 20 });

    expect(keptTags({ by: 'pushed', count: 2 }, { ...of, tags: [...of.tags, tag('d', 'c')] })).toEqual(['b', 'c', 'd']);
  });

  it('are those that certainly were pulled last', () => {
    const of = snapshot({
      knowledge: { ...snapshot().knowledge, pullsKnownSince: daysAgo(30) },
      manifests: [manifest('a', { lastPulledAt: daysAgo(5) }), manifest('b', { lastPulledAt: daysAgo(10) }), manifest('c'), manifest('d')],
      tags: ['a', 'b', 'c', 'd'].map((name) => tag(name, name)),
    });

    expect(keptTags({ by: 'pulled', count: 2 }, of)).toEqual(['a', 'b']);
    // Of the others nobody knows who was pulled later, before anybody listened.
    expect(keptTags({ by: 'pulled', count: 3 }, of)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('were promoted last', () => {
    const promoted = (name: string, age: number) => manifest(name, { promotedTo: [{ registry: 'prod', at: daysAgo(age) }] });
    const of = snapshot({
      manifests: [promoted('a', 40), promoted('b', 20), manifest('c')],
      tags: ['a', 'b', 'c'].map((name) => tag(name, name)),
    });

    expect(keptTags({ by: 'promoted', count: 1 }, of)).toEqual(['b']);
  });
});
