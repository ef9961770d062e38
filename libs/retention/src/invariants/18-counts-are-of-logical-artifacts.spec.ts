import { describe, expect, it } from '@jest/globals';
import type { MostRecent } from '@waybill/topology';
import fc from 'fast-check';
import { daysAgo, digest, manifest, policy, reservedTag, snapshot, tag } from '../scene.spec-helper.js';
import type { RepositorySnapshot, SnapshotManifest, SnapshotTag } from '../snapshot.js';
import { keptBy, plan, Seen } from './naive.spec-helper.js';
import { graphs, nameOf } from './random-repository.spec-helper.js';
import { unprotected } from '../scene.spec-helper.js';

/** Days since the push, by artifact; each has one tag. */
const artifacts = fc.array(fc.integer({ min: 3, max: 9 }), { minLength: 1, maxLength: 12 });

function images(ages: readonly number[]): RepositorySnapshot {
  const time = (age: number) => ({ createdAt: daysAgo(age), pushedAt: daysAgo(age), firstSeenAt: daysAgo(age) });
  return snapshot({
    manifests: ages.map((age, at) => manifest(nameOf(at), { ...time(age), promotedTo: [{ registry: 'prod', at: daysAgo(age) }] })),
    tags: ages.map((age, at) => tag(`1.0.${at}`, nameOf(at), { taggedAt: daysAgo(age), seenSince: daysAgo(age) })),
  });
}

/** Each artifact becomes an index with platforms of its own, one of them tagged, attested and signed, and all that is younger than any artifact. */
function withCompany({ manifests, tags, ...rest }: RepositorySnapshot): RepositorySnapshot {
  const young = { createdAt: daysAgo(2), pushedAt: daysAgo(2), firstSeenAt: daysAgo(2) };
  const company = manifests.flatMap((_, at): SnapshotManifest[] => [
    manifest(`${nameOf(at)} amd64`, young),
    manifest(`${nameOf(at)} arm64`, young),
    manifest(`${nameOf(at)} sbom`, young, { subject: nameOf(at) }),
    manifest(`${nameOf(at)} signature`, young),
  ]);
  const signatures = manifests.flatMap((_, at): SnapshotTag[] => [
    tag(reservedTag(nameOf(at), '.sig'), `${nameOf(at)} signature`, { taggedAt: daysAgo(2) }),
    tag(`1.0.${at}-amd64`, `${nameOf(at)} amd64`, { taggedAt: daysAgo(2), seenSince: daysAgo(2) }),
  ]);
  const indexes = manifests.map((one, at) => ({
    ...one,
    children: ['amd64', 'arm64'].map((platform) => digest(`${nameOf(at)} ${platform}`)),
  }));
  return { ...rest, manifests: [...indexes, ...company], tags: [...tags, ...signatures] };
}

describe('invariant 18: counts are of logical artifacts', () => {
  it.each(['pushed', 'pulled', 'created', 'tagged', 'promoted', 'semver'] as const)(
    'keeps as many artifacts by %s, whatever came with them',
    (by: MostRecent['by']) => {
      const removed = new Seen();

      fc.assert(
        fc.property(artifacts, fc.integer({ min: 1, max: 6 }), (ages, count) => {
          const policies = [
            policy([
              { name: 'recent', action: 'keep', match: { tagState: 'tagged' }, criteria: 'any', mostRecent: { by, count } },
              { name: 'rest', action: 'delete', match: {}, criteria: 'all' },
            ]),
          ];
          const alone = plan({ policies, snapshot: images(ages), protections: unprotected });
          const accompanied = plan({ policies, snapshot: withCompany(images(ages)), protections: unprotected });
          const named = new Set(ages.map((_, at) => digest(nameOf(at))));
          removed.note(alone.deletionOrder.length > 0);

          expect(keptBy(alone).size).toBe(Math.min(count, ages.length));
          if (by !== 'semver') expect(keptBy(accompanied).size).toBeGreaterThanOrEqual(keptBy(alone).size);
          expect([...keptBy(accompanied)].filter((one) => named.has(one)).sort()).toEqual([...keptBy(alone)].sort());
        }),
        graphs,
      );

      expect(removed.count).toBeGreaterThan(0);
    },
  );
});
