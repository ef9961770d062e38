import { propertyRuns } from '@waybill/testing';
import fc from 'fast-check';
import type { ArtifactMatch, RetentionPolicy, RetentionRule } from '@waybill/topology';
import type { Hold, Protections } from '../protections.js';
import {
  day,
  daysAgo,
  deleteAll,
  deleteOld,
  digest,
  manifest,
  now,
  policy,
  reservedTag,
  snapshot,
  unprotected,
} from '../scene.spec-helper.js';
import type { KnownTime, RepositorySnapshot, SnapshotManifest, SnapshotTag } from '../snapshot.js';

/** On how many random repositories each property is tried. A failure is shown as it is: to shrink such a graph takes minutes. */
export const graphs = { ...propertyRuns('WAYBILL_TEST_GRAPHS', 40), endOnFailure: true };

/** Everything that a plan is made of. */
export interface Situation {
  readonly policies: readonly RetentionPolicy[];
  readonly snapshot: RepositorySnapshot;
  readonly protections: Protections;
}

const elsewhere = 'elsewhere';
const tagNames = ['v1.0.0', 'v1.1.0', '2.0.0', '2.0.0-rc.1', 'latest', 'br-1', 'br-2', 'main-b1', 'main-b2', 'dev-b1', 'dev-b2'] as const;
const artifactTypes = [
  'application/vnd.cncf.notary.signature',
  'application/vnd.in-toto+json',
  'application/vnd.example.sbom',
  'application/vnd.dev.sigstore.bundle.v0.3+json',
] as const;
export const otherRegistries = ['prod', 'ci-tests', 'archive'] as const;

/** Few, so that many are equal. */
const someDaysAgo = fc.constantFrom(2, 5, 9, 10, 20, 40, 40, 90, 90, 200).map(daysAgo);
/** Missing, or such as no artifact can have. */
export const absurdTime: fc.Arbitrary<KnownTime> = fc.constantFrom<KnownTime>(
  'unknown',
  0,
  -1,
  Number.NaN,
  Date.UTC(1980, 0, 1),
  now + day,
  Number.POSITIVE_INFINITY,
);
const knownTime: fc.Arbitrary<KnownTime> = fc.oneof({ weight: 5, arbitrary: someDaysAgo }, { weight: 1, arbitrary: absurdTime });

const facts = fc.record({
  createdAt: knownTime,
  pushedAt: knownTime,
  firstSeenAt: fc.oneof({ weight: 24, arbitrary: someDaysAgo }, { weight: 1, arbitrary: fc.constant(daysAgo(0.5)) }),
  untaggedAt: fc.oneof(fc.constant('never' as const), knownTime),
  lastPulledAt: fc.oneof({ weight: 3, arbitrary: fc.constant('never' as const) }, { weight: 2, arbitrary: knownTime }),
  platforms: fc.oneof(
    { weight: 6, arbitrary: fc.subarray(['linux/amd64', 'linux/arm64/v8', 'windows/amd64']) },
    { weight: 1, arbitrary: fc.constant('unknown' as const) },
  ),
  annotations: fc.constantFrom<Readonly<Record<string, string>>>({}, { team: 'pay' }, { team: 'search' }),
  promotedTo: fc.array(fc.record({ registry: fc.constantFrom(...otherRegistries), at: someDaysAgo }), { maxLength: 2 }),
  sources: fc.subarray([...otherRegistries]),
  absences: fc
    .tuple(fc.subarray([...otherRegistries]), fc.oneof(someDaysAgo, fc.constantFrom('present' as const, 'unknown' as const)))
    .map(([registries, since]) => registries.map((registry) => ({ registry, since }))),
  size: fc.integer({ min: 1, max: 900 }),
});

/** Which blobs, by number: the fewer there are, the more are shared. */
const blobNumbers = fc.uniqueArray(fc.integer({ min: 0, max: 12 }), { maxLength: 4 });

const kinds = fc.constantFrom('image', 'image', 'index', 'referrer', 'index with subject');

/**
 * Manifests in an order in which each lists and refers to earlier ones only, as digests demand: images, indexes of
 * images and indexes that share them, referrers of referrers. Some refer to what is not there.
 */
function manifests(size: number): fc.Arbitrary<readonly SnapshotManifest[]> {
  const node = fc.record({ kind: kinds, links: fc.array(fc.nat(), { minLength: 1, maxLength: 4 }), facts, blobNumbers });
  return fc.array(node, { minLength: 2, maxLength: size, size: 'max' }).map((nodes) =>
    nodes.map(({ kind, links, facts: given, blobNumbers: numbers }, at) => {
      const names = links.map((link) => (at === 0 || link % 17 === 0 ? elsewhere : nameOf(link % at)));
      const blobs = numbers.map((number) => ({ id: digest(`blob ${number}`), size: 1_000 + number }));
      const type = artifactTypes[(links[0] ?? 0) % artifactTypes.length] ?? artifactTypes[0];
      const seen = { ...given, firstSeenAt: laterOf(given.firstSeenAt, given.pushedAt), blobs };
      if (kind === 'image' || at === 0) return manifest(nameOf(at), seen);
      if (kind === 'referrer') return manifest(nameOf(at), { ...seen, artifactType: type }, { subject: names[0] ?? elsewhere });
      const subject = kind === 'index' ? {} : { subject: names[0] ?? elsewhere };
      return manifest(
        nameOf(at),
        { ...seen, mediaType: 'application/vnd.oci.image.index.v1+json', blobs: [] },
        { ...subject, children: names.slice(kind === 'index' ? 0 : 1) },
      );
    }),
  );
}

/** Nothing is seen before it is there. */
function laterOf(seen: number, happened: KnownTime): number {
  return typeof happened === 'number' && happened <= now && happened > seen ? happened : seen;
}

export function nameOf(at: number): string {
  return `manifest ${at}`;
}

function userTags(count: number): fc.Arbitrary<readonly SnapshotTag[]> {
  const placed = fc.record({
    name: fc.constantFrom(...tagNames),
    on: fc.nat(),
    taggedAt: knownTime,
    seenSince: someDaysAgo,
    history: fc.array(fc.nat(), { maxLength: 3 }),
  });
  return fc.uniqueArray(placed, { selector: ({ name }) => name, maxLength: tagNames.length }).map((tags) =>
    tags.map(({ name, on, taggedAt, seenSince, history }) => ({
      name,
      digest: digest(nameOf(on % count)),
      taggedAt,
      seenSince: laterOf(seenSince, taggedAt),
      history: history.map((earlier) => digest(nameOf(earlier % count))),
    })),
  );
}

/** Referrers tags and cosign tags, sometimes about what is not there or about each other. */
function reservedTags(count: number): fc.Arbitrary<readonly SnapshotTag[]> {
  const suffix = fc.constantFrom('', '.sig', '.att', '.sbom');
  const placed = fc.record({ about: fc.nat(), on: fc.nat(), suffix, isElsewhere: fc.nat().map((number) => number % 8 === 0) });
  return fc.uniqueArray(placed, { selector: ({ about, suffix: end }) => `${about % count}${end}`, maxLength: 4 }).map((tags) =>
    tags.map(({ about, on, suffix: end, isElsewhere }) => ({
      name: reservedTag(isElsewhere ? `${elsewhere} ${about % count}` : nameOf(about % count), end),
      digest: digest(nameOf(on % count)),
      taggedAt: 'unknown' as const,
      seenSince: daysAgo(50),
      history: [],
    })),
  );
}

/** A repository of which everything is known that has to be. */
export const soundRepository: fc.Arbitrary<RepositorySnapshot> = manifests(18)
  .chain((all) => fc.tuple(fc.constant(all), userTags(all.length), reservedTags(all.length), fc.constantFrom(daysAgo(300), daysAgo(15))))
  .map(([all, tags, reserved, pullsKnownSince]) => {
    const { knowledge } = snapshot();
    return snapshot({ manifests: all, tags: [...tags, ...reserved], knowledge: { ...knowledge, pullsKnownSince } });
  });

const ages = fc.constantFrom('pushed', 'pulled', 'created', 'tagged', 'lastActive');
export const durationMs = fc.constantFrom(0, 7 * day, 30 * day, 60 * day);

const match: fc.Arbitrary<ArtifactMatch> = fc.oneof(
  { weight: 8, arbitrary: fc.constant<ArtifactMatch>({}) },
  { weight: 3, arbitrary: fc.subarray(['v*', 'br-*', '*-b?', '[0-9]*', 'latest'], { minLength: 1 }).map((glob) => ({ tags: { glob } })) },
  {
    weight: 4,
    arbitrary: fc.constantFrom<ArtifactMatch>(
      { tags: { regex: '(main|dev)-b[0-9]+' } },
      { tags: { semver: '>=1.1.0' } },
      { tagState: 'tagged' },
      { tagState: 'untagged' },
      { platforms: ['linux/arm64'] },
      { annotations: { team: 'p*' } },
      { signed: true },
      { signed: false },
      { promotedTo: 'any' },
      { source: 'ci-tests' },
      { artifactTypes: ['application/vnd.example.sbom'] },
      { repositories: ['team/**'] },
      { repositories: ['other/**'] },
    ),
  },
);

const criteria = fc.constantFrom('any' as const, 'all' as const);

const keepRule: fc.Arbitrary<RetentionRule> = fc.record(
  {
    name: fc.constant('keep'),
    action: fc.constant('keep' as const),
    match,
    criteria,
    mostRecent: fc.record(
      {
        by: fc.constantFrom('pushed', 'pulled', 'created', 'tagged', 'semver', 'promoted'),
        count: fc.integer({ min: 1, max: 3 }),
        groupBy: fc.constant('^(.+)-b[0-9]+$'),
      },
      { requiredKeys: ['by', 'count'] },
    ),
    within: fc.record({ of: ages, durationMs }),
  },
  { requiredKeys: ['name', 'action', 'match', 'criteria'] },
);

const particularRemoval: fc.Arbitrary<RetentionRule> = fc
  .record(
    {
      name: fc.constant('remove'),
      action: fc.constantFrom('delete' as const, 'archive' as const, 'untag' as const, 'untag' as const),
      match,
      criteria,
      olderThan: fc.record({ of: ages, durationMs }),
      absentFrom: fc.record({ registry: fc.constantFrom(...otherRegistries), durationMs }),
    },
    { requiredKeys: ['name', 'action', 'match', 'criteria'] },
  )
  .map((rule) => (rule.action === 'archive' ? { ...rule, to: 'archive' } : rule));

/** Half of the rules are about everything, so that something goes. */
const removalRule: fc.Arbitrary<RetentionRule> = fc.oneof(
  particularRemoval,
  fc.constantFrom<RetentionRule>(deleteAll, { ...deleteOld, olderThan: { of: 'pushed', durationMs: 7 * day } }),
);

/** Named apart; most of them remove something. */
export const somePolicies: fc.Arbitrary<readonly RetentionPolicy[]> = fc
  .array(
    fc.record({
      rules: fc.tuple(fc.array(keepRule, { maxLength: 1 }), fc.array(removalRule, { minLength: 1, maxLength: 2 })),
      untagged: fc.option(
        durationMs.map((olderThanMs) => ({ olderThanMs })),
        { nil: undefined },
      ),
      protect: fc.record({
        immutable: fc.constantFrom([], [], [], ['v*']),
        minKeepPerRepository: fc.constantFrom(0, 0, 0, 1),
        promotedWithinMs: fc.constantFrom(0, 0, 0, 30 * day),
        rollbackDepth: fc.constantFrom(0, 0, 0, 1, 2),
      }),
    }),
    { minLength: 1, maxLength: 2 },
  )
  .map((all) =>
    all.map(({ rules, untagged, protect }, at) =>
      policy(
        rules.flat().map((rule, number) => ({ ...rule, name: `${rule.name} ${number}` })),
        { name: `policy ${at}`, protect, ...(untagged === undefined ? {} : { untagged }) },
      ),
    ),
  );

function someDigests({ manifests: all }: RepositorySnapshot): fc.Arbitrary<readonly string[]> {
  return fc.array(fc.nat(), { maxLength: 2 }).map((numbers) => numbers.flatMap((number) => all[number % all.length]?.digest ?? []));
}

function someHolds(of: RepositorySnapshot): fc.Arbitrary<readonly Hold[]> {
  const digests = someDigests(of).map((all) =>
    all.map((held, at): Hold => ({ kind: 'digest', id: `hold ${at}`, reason: 'audit', digest: held })),
  );
  const tags = fc
    .constantFrom(undefined, ...of.tags.map(({ name }) => name))
    .map((name): readonly Hold[] =>
      name === undefined ? [] : [{ kind: 'tag', id: 'tag hold', reason: 'audit', repository: of.repository, tag: name }],
    );
  return fc.tuple(digests, tags).map((all) => all.flat());
}

export function someProtections(of: RepositorySnapshot): fc.Arbitrary<Protections> {
  return fc
    .record({ holds: someHolds(of), used: someDigests(of), running: someDigests(of), provenanceTargets: someDigests(of) })
    .map(({ holds, used, running, provenanceTargets }) => ({
      ...unprotected,
      holds,
      inUse: { digests: new Map(used.map((one) => [one, 'cluster'])), unknownScopes: [] },
      runningPromotions: [{ id: 'promotion', digests: running }],
      provenanceTargets: new Set(provenanceTargets),
    }));
}

/** A sound repository under random policies, which in every other case has nothing but the policies to protect it. */
export const situations: fc.Arbitrary<Situation> = fc.tuple(soundRepository, somePolicies).chain(([of, policies]) =>
  fc.record({
    policies: fc.constant(policies),
    snapshot: fc.constant(of),
    protections: fc.oneof({ weight: 2, arbitrary: fc.constant(unprotected) }, { weight: 1, arbitrary: someProtections(of) }),
  }),
);

/** The same under one policy that would remove everything: what stays, stays for a reason of safety. */
export const wiped: fc.Arbitrary<Situation> = situations.map((situation) => ({
  ...situation,
  policies: [
    policy([{ name: 'everything', action: 'delete', match: {}, criteria: 'all' }], { name: 'wipe', untagged: { olderThanMs: 0 } }),
  ],
}));
