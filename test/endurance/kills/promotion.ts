import { uuidV7 } from '@waybill/kernel';
import { parseRepositoryName, parseTag } from '@waybill/oci-model';
import { ApiKeys, type Database, IdempotencyKeys, PromotionWriter, TopologyRevisions } from '@waybill/persistence';
import { type ExpectedDigest, hashIntent, type ResolvedItem } from '@waybill/promotion';
import { type BuiltContent, buildImage, buildIndex } from '@waybill/testing';
import type { PlacedRegistry, Topology } from '@waybill/topology';

/** Two that share a layer, so that it is brought once and wanted twice; each layer is several chunks long. */
const base = buildImage({ seed: 7000, layers: 1, layerBytes: 200_000 });
const amd64 = buildImage({ seed: 7001, layers: 1, layerBytes: 200_000, base });
const arm64 = buildImage({ seed: 7002, layers: 1, base, platform: { os: 'linux', architecture: 'arm64' } });

const one = parseTag('1.0.0');
const latest = parseTag('latest');

/** What is promoted: an index with two platforms under two tags, and an image that shares a layer with both. */
export const app = { repository: parseRepositoryName('team/app'), built: buildIndex([amd64, arm64]), tags: [one, latest] } as const;
export const tool = {
  repository: parseRepositoryName('team/tool'),
  built: buildImage({ seed: 7003, layers: 1, base }),
  tags: [one],
} as const;
/** What `latest` of the app names at its targets before. */
export const former: BuiltContent = buildImage({ seed: 7004, layers: 1, layerBytes: 10_000 });
/** What the tool's source tag names since it was requested, where a scene moves it. */
export const later: BuiltContent = buildImage({ seed: 7005, layers: 1, layerBytes: 10_000 });

/** Where a case's registries are reached. CI and staging stand at one origin, so that blobs can be mounted. */
export interface Origins {
  readonly ci: string;
  readonly prod: string;
  readonly replica: string;
}

export const registryNames = ['ci', 'staging', 'prod', 'prod-us'] as const;
export type RegistryName = (typeof registryNames)[number];

/** Longer than a case may last, so that no request ends because the machine is slow while a scene holds it. */
const timeoutMs = 600_000;
const timeouts = { connectMs: timeoutMs, answerMs: timeoutMs, commitMs: timeoutMs, idleMs: timeoutMs, smallMs: timeoutMs } as const;

/** Two targets in the EU and a replica in the US, all below a folder of the case's own. */
export function topologyOf(folder: string, origins: Origins): Topology {
  const at = (name: RegistryName, url: string, facts: Pick<PlacedRegistry, 'role' | 'location' | 'of'>): PlacedRegistry => ({
    name,
    url,
    prefix: parseRepositoryName(`${folder}/${name}`),
    insecure: false,
    immutableTags: { kind: 'none' },
    timeouts,
    ...facts,
  });
  return {
    name: 'kills',
    locations: { eu: { egress: {} }, us: { egress: {} } },
    registries: {
      ci: at('ci', origins.ci, { role: 'ci-snapshots', location: 'eu' }),
      staging: at('staging', origins.ci, { role: 'staging', location: 'eu' }),
      prod: at('prod', origins.prod, { role: 'prod', location: 'eu' }),
      'prod-us': at('prod-us', origins.replica, { role: 'replica', of: 'prod', location: 'us' }),
    },
    paths: { release: { name: 'release', from: 'ci', to: ['staging', 'prod'], repositories: ['**'], tags: '.*', target: '{repository}' } },
    replications: [{ from: 'prod', to: ['prod-us'], repositories: ['**'] }],
    retention: [],
  };
}

/** Makes a principal and the first revision; gives the principal's id. */
export async function applyFirst(database: Database, topology: Topology): Promise<string> {
  const principal = { kind: 'service', issuer: 'waybill', subject: 'kills' } as const;
  const key = await new ApiKeys(database).put({ id: uuidV7.next(), hash: new Uint8Array(32), principal, grants: [] });
  await new TopologyRevisions(database).apply(topology, 'source', key.principal.id);
  return key.principal.id;
}

/** Records the promotion as the API does; gives its id. */
export async function requestPromotion(database: Database, principalId: string): Promise<string> {
  const id = uuidV7.next();
  const request = { principalId, route: 'POST /promotions', key: id, hash: new Uint8Array(32) };
  const claim = await new IdempotencyKeys(database).claim(request);
  if (claim.claim !== 'ours') throw new Error(`the claim is ${claim.claim}`);
  const intent = { version: 1, revision: 1, path: { name: 'release', from: 'ci', to: ['staging', 'prod'] }, items: [] } as const;
  const promotion = {
    id,
    path: 'release',
    revision: 1,
    requestedBy: principalId,
    labels: {},
    intent,
    intentHash: hashIntent(intent),
    estimate: { madeAt: new Date(0).toISOString(), targets: [], links: [] },
    items: [itemOf(app), itemOf(tool)],
  };
  const answer = { status: 202, headers: {}, body: { id } };
  const isRecorded = await new PromotionWriter(database).create(promotion, { request, token: claim.token, answer });
  if (!isRecorded) throw new Error('the claim was lost');
  return id;
}

function itemOf({ repository, built, tags }: typeof app | typeof tool): ResolvedItem {
  const tagsAt = (registry: RegistryName) => tags.map((tag) => ({ tag, expected: expectedAt(registry, tag) }));
  return {
    source: { registry: 'ci', repository, tag: one },
    digest: built.manifest.digest,
    mediaType: built.manifest.mediaType,
    targets: [
      { registry: 'staging', location: 'eu', repository, tags: tagsAt('staging'), requirement: 'required' },
      { registry: 'prod', location: 'eu', repository, tags: tagsAt('prod'), requirement: 'required' },
      { registry: 'prod-us', location: 'us', repository, tags: tagsAt('prod-us'), requirement: 'best-effort', follows: 'prod' },
    ],
  };
}

/** `latest` is there before, but at the replica; of prod's other tags it is not known, as if it had not answered. */
function expectedAt(registry: RegistryName, tag: string): ExpectedDigest {
  if (tag === latest) return registry === 'prod-us' ? { kind: 'absent' } : { kind: 'digest', digest: former.manifest.digest };
  return { kind: registry === 'prod' ? 'unknown' : 'absent' };
}
