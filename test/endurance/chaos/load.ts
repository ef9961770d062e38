import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { parseRepositoryName, parseTag } from '@waybill/oci-model';
import { RegistryClient } from '@waybill/oci-registry';
import { type BuiltContent, buildImage, buildIndex, pushBuilt } from '@waybill/testing';
import { WaybillError } from '@waybill/kernel';
import type { WaybillApi } from '../../../apps/cli/src/api-client/waybill-api.js';

export const topology = `
apiVersion: waybill/v1
kind: Topology
metadata: { name: chaos }
locations: { eu: {}, us: {} }
registries:
  ci: { role: ci-snapshots, location: eu, local: true }
  staging: { role: staging, location: eu, local: true, immutableTags: ["p-*"] }
  prod: { role: prod, location: eu, local: true, immutableTags: ["p-*"] }
  prod-us: { role: replica, of: prod, location: us, local: true }
paths:
  release: { from: ci, to: [staging, prod], repositories: ['**'], tags: '.*' }
replications:
  - { from: prod, to: [prod-us], repositories: ['**'] }
`;

const repositories = Array.from({ length: 6 }, (_, index) => `team/app-${index}`);
const imagesEach = 4;
const pauseMs = 200;

/** Images of several repositories, all on one base: their tags at CI, `repository:tag`. */
export async function pushImages(ciUrl: string): Promise<string[]> {
  const client = new RegistryClient({ origin: ciUrl });
  const base = buildImage({ seed: 8000, layers: 2, layerBytes: 150_000 });
  const sources: string[] = [];
  try {
    for (const [position, repository] of repositories.entries()) {
      const store = client.repository(parseRepositoryName(repository));
      for (let version = 0; version < imagesEach; version += 1) {
        const built = imageNumber(8_100 + position * imagesEach + version, base);
        await pushBuilt(store, built);
        await store.putTag(parseTag(`1.0.${version}`), built.manifest);
        sources.push(`${repository}:1.0.${version}`);
      }
    }
    return sources;
  } finally {
    client.close();
  }
}

/** Every third is an index. */
function imageNumber(seed: number, base: ReturnType<typeof buildImage>): BuiltContent {
  const image = buildImage({ seed, layers: 1, layerBytes: 20_000, base });
  if (seed % 3 !== 0) return image;
  return buildIndex([image, buildImage({ seed: seed + 1_000, layers: 1, base, platform: { os: 'linux', architecture: 'arm64' } })]);
}

export interface Requested {
  readonly id: string;
  /** How often the same request was sent until it was answered. */
  readonly tries: number;
}

/**
 * Requests that a source be promoted under a tag of its own and under `latest`, for which all of a repository
 * compete. Repeats the request with one Idempotency-Key until it is accepted, as clients are told to.
 */
export async function requestUntilAccepted(api: WaybillApi, source: string, number: number): Promise<Requested> {
  const key = randomUUID();
  const body = { path: 'release', items: [{ source: `ci/${source}`, tags: [parseTag(`p-${number}`), parseTag('latest')] }] };
  for (let tries = 1; ; tries += 1) {
    try {
      return { id: (await api.createPromotion(body, key)).id, tries };
    } catch (error) {
      if (!mayPass(error)) throw error;
      await delay(pauseMs);
    }
  }
}

/** Whether the same request may be answered otherwise soon. */
function mayPass(error: unknown): boolean {
  return error instanceof WaybillError && (error.retryable || error.code === 'request-in-flight');
}
