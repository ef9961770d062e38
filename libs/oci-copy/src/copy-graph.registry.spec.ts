import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { readdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Digest, hexOf, parseRepositoryName, parseTag, type RepositoryName } from '@waybill/oci-model';
import { RegistryClient, type RequestEvent } from '@waybill/oci-registry';
import {
  blobsOf,
  buildImage,
  buildIndex,
  describeWith,
  manifestsOf,
  MemoryStore,
  memoryStoreWith,
  pushBuilt,
  randomBytes,
  type RunningRegistry,
  startDockerRegistry,
} from '@waybill/testing';
import { copyGraph } from './copy-graph.js';
import { verifyGraph } from './verify-graph.js';

const tag = parseTag('1.0.0');
const base = buildImage({ seed: 1, layerBytes: 300_000 });
const arm = { os: 'linux', architecture: 'arm64' };
const built = buildIndex([
  buildIndex([base, buildImage({ seed: 2, platform: arm, base, layerBytes: 200_000 })]),
  buildImage({ seed: 3, layers: 3, mediaTypes: 'docker' }),
  base,
]);
const root = built.manifest.digest;

/** A real registry, what was asked of it, and a client of it. */
interface Place {
  readonly registry: RunningRegistry;
  readonly client: RegistryClient;
  readonly requests: RequestEvent[];
}

async function startPlace(): Promise<Place> {
  const registry = await startDockerRegistry();
  const requests: RequestEvent[] = [];
  const client = new RegistryClient({ origin: registry.url, observe: (event) => requests.push(event) });
  return { registry, client, requests };
}

/** The raw bytes of a manifest, read without our own client. */
async function rawManifest(place: Place, name: RepositoryName, reference: string, type: string): Promise<Buffer> {
  const answer = await fetch(`${place.registry.url}/v2/${name}/manifests/${reference}`, { headers: { accept: type } });
  expect(answer.status).toBe(200);
  return Buffer.from(await answer.arrayBuffer());
}

/** Upload sessions that a registry still holds for a repository; of ended ones Distribution 2.8 leaves empty folders. */
async function openUploads(place: Place, name: RepositoryName): Promise<string[]> {
  const folder = join(place.registry.dataDir, 'docker/registry/v2/repositories', name, '_uploads');
  const entries = await readdir(folder, { recursive: true }).catch(() => []);
  return entries.filter((entry) => basename(entry) === 'startedat' || basename(entry) === 'data');
}

/**
 * Sessions that were neither committed nor cancelled by us. Whether the registry then lets its files go is
 * another matter: Distribution 2.8 answers 404 to the DELETE of a session whose PUT broke, and purges it in time.
 */
function abandoned(requests: readonly RequestEvent[]): number {
  const ofUploads = requests.filter(({ kind }) => kind === 'upload' || kind === 'mount');
  const count = (matches: (event: RequestEvent) => boolean) => ofUploads.filter(matches).length;
  const opened = count(({ method, status }) => method === 'POST' && status === 202);
  return opened - count(({ method, status }) => method === 'DELETE' || (method === 'PUT' && status === 201));
}

function written(requests: readonly RequestEvent[]): RequestEvent[] {
  return requests.filter(({ method }) => method !== 'GET' && method !== 'HEAD');
}

describeWith('docker-registry', 'copyGraph between real registries', () => {
  const app = parseRepositoryName('team/app');
  const all: Place[] = [];
  let source: Place;
  let targets: readonly Place[];

  beforeAll(async () => {
    for (let count = 0; count < 4; count += 1) all.push(await startPlace());
    [source, ...targets] = all as [Place, ...Place[]];
    await pushBuilt(source.client.repository(app), built);
  });
  afterEach(() => {
    for (const place of all) place.requests.length = 0;
  });
  afterAll(async () => {
    for (const place of all) {
      place.client.close();
      await place.registry.stop();
    }
  });

  const targetsOf = (name: RepositoryName) =>
    targets.map((place, index) => ({ id: `t${index}`, store: place.client.repository(name), tags: [tag] }));

  it('brings a nested multi-arch index to three targets with the same bytes, reading each blob once', async () => {
    source.requests.length = 0;

    const report = await copyGraph(source.client.repository(app), root, targetsOf(app));

    for (const [index, target] of targets.entries()) {
      const result = report.targets.get(`t${index}`);
      expect(result).toMatchObject({ outcome: 'copied', manifests: { copied: 5 } });
      expect(await rawManifest(target, app, tag, built.manifest.mediaType)).toEqual(Buffer.from(built.manifest.bytes));
      for (const { digest, bytes, mediaType } of manifestsOf(built)) {
        expect(await rawManifest(target, app, digest, mediaType)).toEqual(Buffer.from(bytes));
      }
      expect(await verifyGraph(target.client.repository(app), root)).toMatchObject({ manifests: 5, blobs: blobsOf(built).size });
      expect(await openUploads(target, app)).toEqual([]);
    }
    expect(source.requests.filter(({ kind }) => kind === 'blob')).toHaveLength(blobsOf(built).size);
    expect(source.requests.filter(({ kind }) => kind === 'manifest')).toHaveLength(manifestsOf(built).length);
  });

  it('writes nothing the second time', async () => {
    const again = await copyGraph(source.client.repository(app), root, targetsOf(app));

    for (const result of again.targets.values()) expect(result.outcome).toBe('already-present');
    for (const target of targets) expect(written(target.requests)).toEqual([]);
    expect(source.requests.filter(({ kind }) => kind === 'blob')).toEqual([]);
  });

  it('mounts within a registry, uses the session of a refused mount, and leaves none open', async () => {
    const [target] = targets as [Place];
    const copy = parseRepositoryName('team/copy');
    const absent = parseRepositoryName('team/absent');
    const more = buildImage({ seed: 9, base });
    await pushBuilt(source.client.repository(app), more);

    const report = await copyGraph(source.client.repository(app), more.manifest.digest, [
      { id: 't', store: target.client.repository(copy), tags: [tag], mountFrom: [absent, app] },
    ]);

    expect(report.targets.get('t')).toMatchObject({ outcome: 'copied', blobs: { mounted: base.layers.length } });
    expect(await openUploads(target, copy)).toEqual([]);
    await verifyGraph(target.client.repository(copy), more.manifest.digest);
  });

  it('names the source whose stored bytes changed, and leaves no tag', async () => {
    const name = parseRepositoryName('team/rotten');
    const image = buildImage({ seed: 20, layerBytes: 500_000 });
    const rotten = image.layers[0]!.digest;
    await pushBuilt(source.client.repository(name), image);
    await writeFile(dataOf(source, rotten), randomBytes(image.layers[0]!.size, 'rot'));

    const report = await copyGraph(source.client.repository(name), image.manifest.digest, targetsOf(name), { retryDelayMs: () => 0 });

    for (const [index, target] of targets.entries()) {
      expect(report.targets.get(`t${index}`)).toMatchObject({
        outcome: 'failed',
        error: { code: 'source-corrupt', side: 'source', digest: rotten },
      });
      expect(await target.client.repository(name).resolveTag(tag)).toBeUndefined();
      expect(await target.client.repository(name).probeBlob(image.layers[0]!)).toBe(false);
      expect(abandoned(target.requests)).toBe(0);
    }
  });

  it('leaves no upload behind when it is cancelled in the middle of the bytes', async () => {
    const name = parseRepositoryName('team/cancelled');
    const image = buildImage({ seed: 30, layerBytes: 8_000_000 });
    const controller = new AbortController();

    const report = await copyGraph(await memoryStoreWith(image, new MemoryStore()), image.manifest.digest, targetsOf(name), {
      signal: controller.signal,
      hooks: { onBytes: () => void setImmediate(() => controller.abort()) },
    });

    for (const [index, target] of targets.entries()) {
      expect(report.targets.get(`t${index}`)).toMatchObject({ outcome: 'cancelled' });
      expect(target.requests.filter(({ method }) => method === 'POST')).not.toEqual([]);
      expect(abandoned(target.requests)).toBe(0);
    }
  });

  it('goes on without a target that is down', async () => {
    const name = parseRepositoryName('team/without');
    const gone = await startPlace();
    await gone.registry.stop();
    const down = { id: 'down', store: gone.client.repository(name), tags: [tag] };

    const report = await copyGraph(source.client.repository(app), root, [down, ...targetsOf(name)], { retryDelayMs: () => 0 });
    gone.client.close();

    expect(report.targets.get('down')).toMatchObject({ outcome: 'failed', error: { code: 'target-unreachable', retryable: true } });
    for (const [index, target] of targets.entries()) {
      expect(report.targets.get(`t${index}`)).toMatchObject({ outcome: 'copied' });
      expect(await target.client.repository(name).resolveTag(tag)).toBe(root);
    }
  });
});

function dataOf(place: Place, digest: Digest): string {
  const hex = hexOf(digest);
  return join(place.registry.dataDir, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data');
}
