import { describe, expect, it } from '@jest/globals';
import { parseRepositoryName } from '@waybill/oci-model';
import { describeContentStore } from './content-store-contract.js';
import { buildImage, pushBuilt, streamOf } from './images.js';
import { MemoryRegistry } from './memory-store.js';

describeContentStore(
  'a memory store',
  () => {
    const registry = new MemoryRegistry();
    const store = registry.repository('team/app');
    const sibling = { name: parseRepositoryName('team/base'), store: registry.repository('team/base') };
    return Promise.resolve({
      store,
      sibling,
      corrupt(digest) {
        const bytes = store.blobs.get(digest) ?? store.manifests.get(digest)?.bytes;
        bytes?.set([(bytes[0] ?? 0) ^ 1]);
        return Promise.resolve();
      },
      dispose: () => Promise.resolve(),
    });
  },
  { corrupts: true },
);

describe('MemoryStore', () => {
  it('keeps a refused mount’s session open until it is used or cancelled', async () => {
    const registry = new MemoryRegistry();
    const store = registry.repository('team/app');
    const [[digest, bytes]] = [...buildImage().blobs] as [[never, Uint8Array]];
    const blob = { digest, size: bytes.byteLength };
    const from = parseRepositoryName('team/base');

    const refusals = [await store.mountBlob(blob, from), await store.mountBlob(blob, from)];
    const [used, cancelled] = refusals.map((refusal) => (refusal.mounted ? undefined : refusal.upload));

    expect(store.openUploads.size).toBe(2);
    await store.pushBlob(blob, streamOf(bytes), used === undefined ? {} : { upload: used });
    await cancelled?.cancel();
    expect(store.openUploads.size).toBe(0);
  });

  it('notes writes in the order in which they took effect', async () => {
    const store = new MemoryRegistry().repository('team/app');
    const image = buildImage();

    await pushBuilt(store, image);

    expect(store.callsOf('pushBlob').sort()).toEqual([...image.blobs.keys()].sort());
    expect(store.calls.at(-1)).toEqual({ method: 'pushManifest', about: image.manifest.digest });
  });
});
