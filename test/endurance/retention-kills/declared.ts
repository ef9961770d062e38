import { parseRepositoryName } from '@waybill/oci-model';
import { buildCosignTag, buildImage, buildIndex, buildReferrer, type BuiltContent } from '@waybill/testing';
import type { PlacedRegistry, RetentionPolicy, RetentionRule, Topology } from '@waybill/topology';

/** Several chunks long, so that a copy of it can be broken off. */
const layerBytes = 200_000;

const arm64 = buildImage({ seed: 8_002, layerBytes: 64, platform: { os: 'linux', architecture: 'arm64' } });
const index = buildIndex([buildImage({ seed: 8_001, layerBytes: 64 }), arm64]);
const kept = buildImage({ seed: 8_004, layerBytes: 64 });

/**
 * What there is. Condemned are an index with two platforms, an attestation and a signature; an image that is to be archived; one that
 * somebody tags again before it goes; and a tag, whose image stays.
 */
export const app = {
  repository: parseRepositoryName('team/app'),
  index,
  attestation: buildReferrer(index),
  signature: buildCosignTag(index),
  archived: buildImage({ seed: 8_003, layers: 2, layerBytes }),
  kept: buildIndex([kept]),
  /** What an index lists that stays. */
  keptPlatform: kept.manifest.digest,
} as const;
export const tool = {
  repository: parseRepositoryName('team/tool'),
  wanted: buildImage({ seed: 8_005, layerBytes: 64 }),
  gone: buildImage({ seed: 8_006, layerBytes: 64 }),
} as const;
/** Listed by the index that is condemned, and by one that comes late. */
export const platform = arm64.manifest;
export const late: BuiltContent = buildIndex([arm64]);

export const policyName = 'nightly';

const rules: readonly RetentionRule[] = [
  { name: 'branches', action: 'delete', match: { tags: { glob: ['br-*'] } }, criteria: 'all' },
  { name: 'releases', action: 'archive', to: 'archive', match: { tags: { glob: ['old-*'] } }, criteria: 'all' },
  { name: 'names', action: 'untag', match: { tags: { glob: ['tmp-*'] } }, criteria: 'all' },
];

/** Its time never comes by itself; what it deletes can be brought back for a day. */
const policy: RetentionPolicy = {
  name: policyName,
  registry: 'ci',
  origin: 'declared',
  mode: 'enforce',
  schedule: { cron: '0 3 1 1 *', timezone: 'UTC' },
  graceMs: 1,
  softDelete: { ttlMs: 86_400_000 },
  rules,
  repositories: { include: ['**'], exclude: [] },
  protect: { immutable: [], minKeepPerRepository: 0, promotedWithinMs: 0, rollbackDepth: 0 },
  limits: { maxDeletePercent: 100, maxDeleteCount: 500, maxDeleteBytes: 1e12 },
};

export const registryNames = ['ci', 'archive'] as const;
export type RegistryName = (typeof registryNames)[number];

/** CI, whose policy it is, and the archive, each below a folder of the case's own. */
export function topologyOf(folder: string, origins: Readonly<Record<RegistryName, string>>): Topology {
  const at = (name: RegistryName, facts: Pick<PlacedRegistry, 'role' | 'immutableTags'>): PlacedRegistry => ({
    name,
    url: origins[name],
    prefix: parseRepositoryName(`${folder}/${name}`),
    location: 'eu',
    insecure: false,
    ...facts,
  });
  return {
    name: 'retention-kills',
    locations: { eu: { egress: {} } },
    registries: {
      ci: at('ci', { role: 'ci-snapshots', immutableTags: { kind: 'none' } }),
      archive: at('archive', { role: 'archive', immutableTags: { kind: 'all' } }),
    },
    paths: {},
    replications: [],
    retention: [policy],
  };
}
