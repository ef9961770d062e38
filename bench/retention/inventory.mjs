// Repositories as they are found: indexes of two platforms with an attestation each, a signature, tags of builds
// and releases, old builds that lost their tag; a third of the blobs is shared.
import { createHash } from 'node:crypto';

const day = 86_400_000;
export const now = Date.UTC(2026, 10, 22);
const daysAgo = (days) => now - Math.floor(days * day);
const indexType = 'application/vnd.oci.image.index.v1+json';
const imageType = 'application/vnd.oci.image.manifest.v1+json';

/** Manifests of one application: an index, two platforms, two attestations and a signature. */
const manifestsPerArtifact = 6;

export function* repositories(count, manifestsEach) {
  for (let number = 0; number < count; number += 1) yield repository(`team-${String(number).padStart(5, '0')}/app`, manifestsEach);
}

function repository(name, size) {
  const manifests = [];
  const tags = [];
  for (let build = 0; manifests.length < size; build += 1) {
    const age = (build * manifestsPerArtifact * 400) / size;
    addArtifact(`${name}#${build}`, age, size - manifests.length, manifests);
    const digest = manifests.at(-Math.min(manifestsPerArtifact, size - manifests.length + manifestsPerArtifact))?.digest;
    if (digest === undefined || build % 10 === 9) continue;
    tags.push({ name: `br-${build % 40}-b${build}`, digest, taggedAt: daysAgo(age), seenSince: daysAgo(age), history: [] });
    if (build % 5 === 0) {
      tags.push({ name: `v1.${build % 7}.${build}`, digest, taggedAt: daysAgo(age), seenSince: daysAgo(age), history: [] });
    }
  }
  return {
    registry: 'ci-snapshots',
    role: 'ci-snapshots',
    repository: name,
    knowledge: {
      lastFullCrawlStartedAt: daysAgo(0.5),
      unreadableManifests: 0,
      isSuspect: false,
      pullsKnownSince: daysAgo(500),
      referrersKnownOf: 'all',
    },
    tags,
    manifests,
  };
}

function addArtifact(name, age, room, manifests) {
  const platforms = ['amd64', 'arm64'].map((architecture) => ({ architecture, digest: digestOf(`${name} ${architecture}`) }));
  const attestations = platforms.map(({ architecture, digest }) => ({ of: digest, digest: digestOf(`${name} att ${architecture}`) }));
  const index = digestOf(name);
  const all = [
    manifest(index, age, { mediaType: indexType, children: [...platforms, ...attestations].map(({ digest }) => digest), blobs: [] }),
    ...platforms.map(({ architecture, digest }) => manifest(digest, age, { platforms: [`linux/${architecture}`] })),
    ...attestations.map(({ of, digest }) => manifest(digest, age, { subject: of, artifactType: 'application/vnd.in-toto+json' })),
    manifest(digestOf(`${name} sig`), age, { subject: index, artifactType: 'application/vnd.dev.cosign.artifact.sig.v1+json' }),
  ];
  manifests.push(...all.slice(0, room));
}

function manifest(digest, age, facts) {
  return {
    digest,
    mediaType: imageType,
    size: 1_200,
    blobs: [blob('base'), blob(`${digest} 1`), blob(`${digest} 2`)],
    children: [],
    platforms: [],
    annotations: { 'org.opencontainers.image.vendor': 'example' },
    createdAt: daysAgo(age + 1),
    pushedAt: daysAgo(age),
    firstSeenAt: daysAgo(age),
    untaggedAt: 'never',
    lastPulledAt: 'never',
    promotedTo: [],
    sources: [],
    absences: [],
    ...facts,
  };
}

function blob(name) {
  return { id: digestOf(`blob ${name}`), size: 4_000_000 };
}

function digestOf(text) {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** Twenty rules of all kinds. */
export function benchPolicy() {
  const keep = (name, match, criteria) => ({ name, action: 'keep', match, criteria: 'any', ...criteria });
  const remove = (name, match, days, of = 'lastActive') => ({
    name,
    action: 'delete',
    match,
    criteria: 'all',
    olderThan: { of, durationMs: days * day },
  });
  const branches = Array.from({ length: 8 }, (_, at) => remove(`branches-${at}`, { tags: { glob: [`br-${at}*`, `*-pr-${at}`] } }, 30 + at));
  return {
    name: 'bench',
    registry: 'ci-snapshots',
    origin: 'declared',
    mode: 'enforce',
    schedule: { cron: '0 3 * * *', timezone: 'UTC' },
    repositories: { include: ['**'], exclude: ['team-base/**'] },
    rules: [
      keep('releases', { tags: { semver: '>=1.3.0' } }),
      keep('last-releases', { tags: { regex: 'v[0-9]+\\.[0-9]+\\.[0-9]+' } }, { mostRecent: { by: 'semver', count: 5 } }),
      keep('builds', { tagState: 'tagged' }, { mostRecent: { by: 'pushed', count: 3, groupBy: '^(.+)-b\\d+$' } }),
      keep('pulled', {}, { within: { of: 'pulled', durationMs: 14 * day } }),
      keep('vendor', { annotations: { 'org.opencontainers.image.vendor': 'other*' } }),
      keep('promoted', { promotedTo: 'any' }, { mostRecent: { by: 'promoted', count: 5 } }),
      keep('windows', { platforms: ['windows/amd64'] }),
      remove('old', { tagState: 'tagged' }, 200),
      remove('unsigned', { signed: false }, 60),
      remove('expression', { tags: { regex: 'br-[0-9]+-b[0-9]+' } }, 120, 'pushed'),
      remove('charts', { artifactTypes: ['application/vnd.cncf.helm.config.v1+json'] }, 90),
      { ...remove('archived', { tags: { regex: 'v0\\..*' } }, 90), action: 'archive', to: 'archive' },
      ...branches,
    ],
    untagged: { olderThanMs: 14 * day },
    protect: { immutable: ['v2.*'], minKeepPerRepository: 3, promotedWithinMs: 90 * day, rollbackDepth: 3 },
    limits: { maxDeletePercent: 20, maxDeleteCount: 500, maxDeleteBytes: 500 * 2 ** 30 },
    graceMs: day,
  };
}

export function benchProtections() {
  return {
    holds: [],
    inUse: { digests: new Map(), unknownScopes: [] },
    runningPromotions: [],
    provenanceTargets: new Set(),
    isImmutableTag: () => false,
    paths: [],
  };
}
