import { describe, expect, it } from '@jest/globals';
import type { Digest, Manifest, Tag } from '@waybill/oci-model';
import { buildImage, MemoryStore, memoryStoreWith } from '@waybill/testing';
import { ManifestSource } from './manifest-source.js';
import { settingsOf } from './options.js';

const [image, other] = [buildImage({ seed: 1 }), buildImage({ seed: 2 })];

function sourceOver(store: MemoryStore, manifestCacheBytes?: number): ManifestSource {
  const settings = settingsOf({ retryDelayMs: () => 0, ...(manifestCacheBytes === undefined ? {} : { manifestCacheBytes }) });
  return new ManifestSource(store, { side: 'source' }, { settings, signal: settings.signal, retries: settings.retries });
}

describe('ManifestSource', () => {
  it('asks the store once for what it keeps', async () => {
    const store = await memoryStoreWith(image);
    const source = sourceOver(store);

    const first = await source.read(image.manifest.digest);

    expect(await source.read(image.manifest.digest)).toBe(first);
    expect(store.callsOf('readManifest')).toHaveLength(1);
  });

  it('keeps no more bytes than its bound and asks again for the rest', async () => {
    const store = await memoryStoreWith(image);
    await memoryStoreWith(other, store);
    const source = sourceOver(store, image.manifest.bytes.byteLength);

    for (const { manifest } of [image, other, image, other]) await source.read(manifest.digest);

    expect(store.callsOf('readManifest')).toEqual([image.manifest.digest, other.manifest.digest, other.manifest.digest]);
  });

  it('counts the bytes of one manifest once though it was asked for twice at a time', async () => {
    const store = await memoryStoreWith(image);
    await memoryStoreWith(other, store);
    const source = sourceOver(store, image.manifest.bytes.byteLength + other.manifest.bytes.byteLength);

    await Promise.all([source.read(image.manifest.digest), source.read(image.manifest.digest)]);
    await source.read(other.manifest.digest);
    store.calls.length = 0;
    await source.read(other.manifest.digest);

    expect(store.callsOf('readManifest')).toEqual([]);
  });

  it('does not trust a store that gives another manifest', async () => {
    // A proxy whose cache mixes two manifests up and labels the answer as asked for.
    class Mixing extends MemoryStore {
      override async readManifest(reference: Digest | Tag): Promise<Manifest> {
        return { ...other.manifest, digest: reference as Digest };
      }
    }

    await expect(sourceOver(new Mixing()).read(image.manifest.digest)).rejects.toMatchObject({ code: 'source-corrupt' });
  });
});
