import { describe, expect, it } from '@jest/globals';
import { type BlobRef, ContentError, type Digest, type Manifest } from '@waybill/oci-model';
import { blobsOf, buildImage, buildIndex, manifestsOf, MemoryStore, memoryStoreWith } from '@waybill/testing';
import { copyGraph } from './copy-graph.js';
import { verifyGraph } from './verify-graph.js';

const [one, two] = [buildImage({ seed: 1 }), buildImage({ seed: 2 })];
const built = buildIndex([buildIndex([one, two]), one]);
const root = built.manifest.digest;

describe('verifyGraph', () => {
  it('reads every manifest and a byte of every blob', async () => {
    const store = await memoryStoreWith(built);

    const report = await verifyGraph(store, root);

    expect(report).toMatchObject({ manifests: 4, blobs: 6, foreignLayers: 0, root: { digest: root } });
    expect(store.callsOf('readManifest').sort()).toEqual(
      manifestsOf(built)
        .map(({ digest }) => digest)
        .sort(),
    );
    expect(store.callsOf('probeBlob').sort()).toEqual([...blobsOf(built).keys()].sort());
  });

  it('does not ask for blobs that the copy has proven', async () => {
    const store = new MemoryStore();
    const copy = await copyGraph(await memoryStoreWith(built), root, [{ id: 't', store }]);
    store.calls.length = 0;

    await verifyGraph(store, root, { presentBlobs: copy.targets.get('t')!.presentBlobs });

    expect(store.callsOf('probeBlob')).toEqual([]);
    expect(store.callsOf('readManifest')).toHaveLength(4);
  });

  it('shows each manifest that it read back once', async () => {
    const seen: Digest[] = [];

    await verifyGraph(await memoryStoreWith(built), root, { onManifest: ({ digest }) => seen.push(digest) });

    expect(seen.sort()).toEqual(
      manifestsOf(built)
        .map(({ digest }) => digest)
        .sort(),
    );
  });

  it('names everything that is missing', async () => {
    const store = await memoryStoreWith(built);
    store.manifests.delete(two.manifest.digest);
    store.blobs.delete(one.config.digest);

    await expect(verifyGraph(store, root, { target: 'prod' })).rejects.toMatchObject({
      code: 'target-incomplete',
      side: 'target',
      target: 'prod',
      digest: root,
      details: { manifests: [two.manifest.digest], blobs: [one.config.digest] },
      message: `target "prod" lacks 1 manifests and 1 blobs beneath ${root}: ${two.manifest.digest}, ${one.config.digest}`,
    });
  });

  it('says so when the root itself is missing', async () => {
    await expect(verifyGraph(new MemoryStore(), root)).rejects.toMatchObject({
      code: 'target-incomplete',
      target: undefined,
      details: { manifests: [root], blobs: [] },
    });
  });

  it('believes a read, not a manifest that was pushed', async () => {
    // Distribution 2.8 accepts a manifest whose blobs an online collection took, from its descriptor cache.
    const store = await memoryStoreWith(built);
    store.blobs.clear();

    const verification = verifyGraph(store, root);

    await expect(verification).rejects.toMatchObject({ code: 'target-incomplete', details: { blobs: { length: 6 } } });
  });

  it('refuses manifests that come back with other bytes', async () => {
    class Mixing extends MemoryStore {
      override async readManifest(): Promise<Manifest> {
        return { ...two.manifest, digest: root };
      }
    }

    await expect(verifyGraph(new Mixing(), root)).rejects.toMatchObject({ code: 'target-corrupt', side: 'target' });
  });

  it('does not take trouble for absence', async () => {
    class Unprobed extends MemoryStore {
      override async probeBlob(): Promise<boolean> {
        throw new ContentError('no', { code: 'unavailable', operation: 'probe blob', retryable: true });
      }
    }
    const store = await memoryStoreWith(built, new Unprobed());

    await expect(verifyGraph(store, root)).rejects.toMatchObject({
      code: 'target-unreachable',
      retryable: true,
    });
  });

  it('ends when the signal comes', async () => {
    const controller = new AbortController();
    class Silent extends MemoryStore {
      override probeBlob(_: BlobRef, signal?: AbortSignal): Promise<boolean> {
        setImmediate(() => controller.abort());
        return new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => reject(new ContentError('stopped', { code: 'aborted', operation: 'x' })));
        });
      }
    }
    const store = await memoryStoreWith(built, new Silent());

    await expect(verifyGraph(store, root, { signal: controller.signal })).rejects.toMatchObject({ code: 'aborted' });
  });

  it('keeps to the bounds of a graph', async () => {
    const store = await memoryStoreWith(built);

    await expect(verifyGraph(store, root, { maxDepth: 2 })).rejects.toMatchObject({ code: 'graph-too-large' });
  });

  it('counts foreign layers and does not look for them', async () => {
    const { manifestFromBytes } = await import('@waybill/oci-model');
    const content = JSON.parse(Buffer.from(one.manifest.bytes).toString()) as { layers: object[] };
    const digest = `sha256:${'f'.repeat(64)}` as Digest;
    content.layers.push({ mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar', digest, size: 9 });
    const windows = manifestFromBytes(Buffer.from(JSON.stringify(content)), undefined);
    const store = await memoryStoreWith(one);
    await store.pushManifest(windows);

    expect(await verifyGraph(store, windows.digest)).toMatchObject({ foreignLayers: 1, blobs: 3 });
  });
});
