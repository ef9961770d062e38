import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { type Digest, parseRepositoryName, parseTag, referrersTagOf, type Tag } from '@waybill/oci-model';
import { RegistryClient, type RequestEvent } from '@waybill/oci-registry';
import {
  buildCosignTag,
  buildImage,
  buildReferrer,
  describeWith,
  expectContained,
  pushBuilt,
  type RunningRegistry,
  startDockerRegistry,
} from '@waybill/testing';
import type { TagReport } from './sync-options.js';
import { syncRepository } from './sync-repository.js';

const app = parseRepositoryName('team/app');
const base = buildImage({ seed: 1, layerBytes: 100_000 });
const images = Array.from({ length: 10 }, (_, index) => buildImage({ seed: 10 + index, layers: 1, base }));
const tags = images.map((_, index) => parseTag(`1.${index}.0`));
const blobs = new Set(images.flatMap((image) => [...image.blobs.keys()]));

interface Place {
  readonly registry: RunningRegistry;
  readonly client: RegistryClient;
  readonly requests: RequestEvent[];
}

async function startPlace(): Promise<Place> {
  const registry = await startDockerRegistry();
  const requests: RequestEvent[] = [];
  return {
    registry,
    requests,
    client: new RegistryClient({ origin: registry.url, timeouts: { settleMs: 10 }, observe: (event) => requests.push(event) }),
  };
}

describeWith('docker-registry', 'syncRepository between real registries', () => {
  const all: Place[] = [];
  const storeAt = (index: number) => all[index]!.client.repository(app);
  const requestsOf = (index: number, matches: (event: RequestEvent) => boolean) => all[index]!.requests.filter(matches).length;

  beforeAll(async () => {
    for (let count = 0; count < 3; count += 1) all.push(await startPlace());
    for (const [index, image] of images.entries()) {
      await pushBuilt(storeAt(0), image);
      await storeAt(0).putTag(tags[index]!, image.manifest);
    }
    for (const place of all) place.requests.length = 0;
  });
  afterEach(() => {
    for (const place of all) place.requests.length = 0;
  });
  afterAll(async () => {
    for (const { client, registry } of all) {
      client.close();
      await registry.stop();
    }
  });

  const targets = () => [
    { id: 'near', store: storeAt(1) },
    { id: 'far', store: storeAt(2) },
  ];

  it('brings ten tags over a shared base to two of them, each blob read and uploaded once', async () => {
    const { targets: counts } = await syncRepository(storeAt(0), targets());

    expect([...counts.values()]).toMatchObject([
      { copied: 10, failed: 0 },
      { copied: 10, failed: 0 },
    ]);
    expect(requestsOf(0, ({ kind }) => kind === 'blob')).toBe(blobs.size);
    for (const target of [1, 2]) {
      expect(requestsOf(target, ({ kind, method, status }) => kind === 'upload' && method === 'PUT' && status === 201)).toBe(blobs.size);
      for (const [index, image] of images.entries()) {
        expect(await storeAt(target).resolveTag(tags[index]!)).toBe(image.manifest.digest);
        await expectContained(storeAt(0), storeAt(target), image.manifest.digest);
      }
    }
  });

  it('asks one HEAD for each tag at each side, and one list, when nothing has changed', async () => {
    const { targets: counts } = await syncRepository(storeAt(0), targets());

    expect(counts.get('near')).toMatchObject({ unchanged: 10, copied: 0, bytesCopied: 0 });
    expect(requestsOf(0, () => true)).toBe(11);
    expect(requestsOf(0, ({ method }) => method === 'HEAD')).toBe(10);
    for (const target of [1, 2]) {
      expect(requestsOf(target, () => true)).toBe(10);
      expect(requestsOf(target, ({ method }) => method === 'HEAD')).toBe(10);
    }
  });

  it('adds referrers to those that the target has of its own, and signatures to unchanged tags', async () => {
    const [image, tag] = [images[3]!, tags[3]!];
    const { digest } = image.manifest;
    const [ours, theirs] = [buildReferrer(image, { seed: 1 }), buildReferrer(image, { seed: 2 })];
    const signed = buildCosignTag(image);
    await pushBuilt(storeAt(0), ours);
    await pushBuilt(storeAt(0), signed.content);
    await storeAt(0).putTag(signed.tag, signed.content.manifest);
    await pushBuilt(storeAt(1), theirs);
    const reports: TagReport[] = [];

    const chosen = (each: Tag) => each === tag;
    await syncRepository(storeAt(0), targets(), { referrers: 'all', tags: chosen, onTag: (report) => void reports.push(report) });

    expect(reports).toMatchObject([
      { target: 'near', outcome: 'unchanged', copy: { referrers: [{ outcome: 'copied' }, { outcome: 'copied' }] } },
      { target: 'far', outcome: 'unchanged' },
    ]);
    expect(await listed(1, digest)).toEqual([ours, theirs].map((each) => each.manifest.digest).sort());
    expect(await listed(2, digest)).toEqual([ours.manifest.digest]);
    // Distribution 2.8 keeps no list: what was merged stands under the fallback tag, written by the client.
    expect(await storeAt(1).resolveTag(referrersTagOf(digest))).not.toBe(await storeAt(0).resolveTag(referrersTagOf(digest)));
    for (const target of [1, 2]) await expectContained(storeAt(0), storeAt(target), digest);
  });

  async function listed(index: number, subject: Digest): Promise<Digest[]> {
    const digests: Digest[] = [];
    for await (const { digest } of storeAt(index).listReferrers(subject)) digests.push(digest);
    return digests.sort();
  }
});
