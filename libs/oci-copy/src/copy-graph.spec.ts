import { describe, expect, it } from '@jest/globals';
import { ContentError, type ContentErrorCode, type Digest, type Manifest, parseTag, type Tag } from '@waybill/oci-model';
import {
  blobsOf,
  type BuiltContent,
  buildImage,
  buildIndex,
  manifestsOf,
  MemoryRegistry,
  MemoryStore,
  memoryStoreWith,
} from '@waybill/testing';
import { copyGraph } from './copy-graph.js';

const [v1, latest] = [parseTag('1.0.0'), parseTag('latest')];
const base = buildImage({ seed: 1 });
const built = buildIndex([
  buildIndex([base, buildImage({ seed: 2, platform: { os: 'linux', architecture: 'arm64' }, base })]),
  buildImage({ seed: 3, layers: 3 }),
  base,
]);
const root = built.manifest.digest;

function failing(code: ContentErrorCode, retryable = false): ContentError {
  return new ContentError('no', { code, operation: 'x', retryable });
}

function manifestDigests(content: BuiltContent): Digest[] {
  return manifestsOf(content).map((manifest) => manifest.digest);
}

async function copiedTo(store: MemoryStore, tags: readonly Tag[] = [v1]) {
  const report = await copyGraph(await memoryStoreWith(built), root, [{ id: 't', store, tags }], { retryDelayMs: () => 0 });
  return report.targets.get('t');
}

describe('copyGraph', () => {
  it('brings a nested index whole to every target and reads everything once', async () => {
    const source = await memoryStoreWith(built);
    const stores = [new MemoryStore(), new MemoryRegistry().repository('a'), new MemoryStore()];
    const targets = stores.map((store, index) => ({ id: `t${index}`, store, tags: [v1] }));

    const report = await copyGraph(source, root, targets);

    expect([...report.targets.keys()]).toEqual(['t0', 't1', 't2']);
    expect(report.root.bytes).toEqual(built.manifest.bytes);
    for (const store of stores) {
      expect([...store.blobs.keys()].sort()).toEqual([...blobsOf(built).keys()].sort());
      expect([...store.manifests.keys()].sort()).toEqual(manifestDigests(built).sort());
      expect(store.tags.get(v1)).toBe(root);
    }
    expect(source.callsOf('readBlob').sort()).toEqual([...blobsOf(built).keys()].sort());
    expect(source.callsOf('readManifest').sort()).toEqual(manifestDigests(built).sort());
  });

  it('counts what it did at each target', async () => {
    const bytes = [...blobsOf(built).values()].reduce((sum, blob) => sum + blob.byteLength, 0);

    expect(await copiedTo(new MemoryStore())).toMatchObject({
      outcome: 'copied',
      bytesCopied: bytes,
      bytesMounted: 0,
      bytesSkipped: 0,
      blobs: { copied: blobsOf(built).size, mounted: 0, skipped: 0 },
      manifests: { copied: 5, skipped: 0 },
      presentBlobs: new Set(blobsOf(built).keys()),
    });
  });

  it('pushes a manifest only after everything beneath it, the root last, then the tags in order', async () => {
    const store = new MemoryStore();

    await copiedTo(store, [v1, latest]);

    const writes = store.calls.filter(({ method }) => ['pushBlob', 'pushManifest', 'putTag'].includes(method)).map(({ about }) => about);
    for (const content of [built, ...built.children, ...(built.children[0]?.children ?? [])]) {
      const at = writes.indexOf(content.manifest.digest);
      for (const child of [...content.blobs.keys(), ...content.children.map(({ manifest }) => manifest.digest)]) {
        expect(writes.indexOf(child)).toBeLessThan(at);
      }
    }
    expect(writes.slice(-3)).toEqual([root, v1, latest]);
  });

  it('writes nothing where everything is and the tags are right', async () => {
    const store = new MemoryStore();
    await copiedTo(store);
    store.calls.length = 0;

    const again = await copiedTo(store);

    expect(again).toMatchObject({ outcome: 'already-present', manifests: { copied: 0, skipped: 5 }, blobs: { copied: 0 } });
    expect(again?.bytesSkipped).toBeGreaterThan(0);
    for (const method of ['pushBlob', 'pushManifest', 'putTag'] as const) expect(store.callsOf(method)).toEqual([]);
  });

  it('moves a tag that names something else, and says that something was written', async () => {
    const store = await memoryStoreWith(built);
    store.tags.set(v1, base.manifest.digest);

    expect(await copiedTo(store)).toMatchObject({ outcome: 'copied', manifests: { copied: 0 }, blobs: { copied: 0 } });
    expect(store.tags.get(v1)).toBe(root);
  });

  it('looks beneath manifests that are there: a collection may have taken their children', async () => {
    const store = await memoryStoreWith(built);
    const [gone] = base.blobs.keys() as IterableIterator<Digest>;
    store.blobs.delete(gone!);
    store.manifests.delete(base.manifest.digest);

    const report = await copiedTo(store);

    expect(report).toMatchObject({ outcome: 'copied', blobs: { copied: 1 }, manifests: { copied: 1, skipped: 4 } });
    expect(store.callsOf('pushBlob')).toEqual([gone]);
    expect(store.callsOf('pushManifest')).toEqual([base.manifest.digest]);
  });

  it.each<ContentErrorCode>(['digest-mismatch', 'manifest-invalid'])(
    'pushes a manifest again that the target gives back with %s',
    async (code) => {
      class Mangling extends MemoryStore {
        override async readManifest(): Promise<Manifest> {
          throw failing(code);
        }
      }

      expect(await copiedTo(new Mangling())).toMatchObject({ outcome: 'copied', manifests: { copied: 5 } });
    },
  );

  it('reads manifests again when they do not fit into its memory, and pushes the same bytes', async () => {
    const source = await memoryStoreWith(built);
    const store = new MemoryStore();

    await copyGraph(source, root, [{ id: 't', store }], { manifestCacheBytes: 0 });

    expect(source.callsOf('readManifest')).toHaveLength(10);
    expect(store.manifests.get(root)?.bytes).toEqual(Uint8Array.from(built.manifest.bytes));
  });

  it('copies an index that names nothing', async () => {
    const empty = buildIndex([]);
    const store = new MemoryStore();

    const report = await copyGraph(await memoryStoreWith(empty), empty.manifest.digest, [{ id: 't', store, tags: [v1] }]);

    expect(report.targets.get('t')).toMatchObject({ outcome: 'copied', manifests: { copied: 1 }, blobs: { copied: 0 } });
    expect(store.tags.get(v1)).toBe(empty.manifest.digest);
  });

  it('says how many foreign layers it left alone', async () => {
    const source = await memoryStoreWith(base);
    const content = JSON.parse(Buffer.from(base.manifest.bytes).toString()) as { layers: object[] };
    content.layers.push({ mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', digest: root, size: 9 });
    const { manifestFromBytes } = await import('@waybill/oci-model');
    const windows = manifestFromBytes(Buffer.from(JSON.stringify(content)), undefined);
    await source.pushManifest(windows);

    const report = await copyGraph(source, windows.digest, [{ id: 't', store: new MemoryStore() }]);

    expect(report.foreignLayers).toBe(1);
    expect(report.targets.get('t')).toMatchObject({ outcome: 'copied', blobs: { copied: 3 } });
  });

  describe('with a target that fails', () => {
    // One for each thing that is asked of a target.
    class Closed extends MemoryStore {
      override async readManifest(): Promise<Manifest> {
        throw failing('unauthorized');
      }
    }
    class Unprobed extends MemoryStore {
      override async probeBlob(): Promise<boolean> {
        throw failing('unavailable', true);
      }
    }
    class Choosy extends MemoryStore {
      override async pushManifest(manifest: Manifest): Promise<void> {
        if (manifest.digest === base.manifest.digest) throw failing('manifest-invalid');
        await super.pushManifest(manifest);
      }
    }
    class Untagged extends MemoryStore {
      override async putTag(): Promise<void> {
        throw failing('denied');
      }
    }
    class Broken extends MemoryStore {
      override probeBlob(): Promise<boolean> {
        throw new TypeError('undefined is not a function');
      }
    }
    const rows: readonly [string, MemoryStore, object][] = [
      ['reading manifests', new Closed(), { code: 'target-denied', operation: 'read manifest', retryable: false }],
      ['probing blobs', new Unprobed(), { code: 'target-unreachable', operation: 'probe blob', retryable: true }],
      ['pushing a manifest', new Choosy(), { code: 'target-invalid', operation: 'push manifest', digest: base.manifest.digest }],
      ['writing a tag', new Untagged(), { code: 'target-denied', operation: 'put tag', digest: root }],
      ['its own fault', new Broken(), { code: 'target-failed' }],
    ];
    it.each(rows)('at %s, brings the graph to the others', async (_, bad, error) => {
      const source = await memoryStoreWith(built);
      const good = [new MemoryStore(), new MemoryStore()];

      const { targets } = await copyGraph(
        source,
        root,
        [
          { id: 'first', store: good[0]!, tags: [v1] },
          { id: 'bad', store: bad, tags: [v1, latest] },
          { id: 'last', store: good[1]!, tags: [v1] },
        ],
        { retryDelayMs: () => 0 },
      );

      expect(targets.get('bad')).toMatchObject({ outcome: 'failed', error: { side: 'target', target: 'bad', ...error } });
      expect(bad.tags.size).toBe(0);
      for (const [index, id] of ['first', 'last'].entries()) {
        expect(targets.get(id)).toMatchObject({ outcome: 'copied' });
        expect(good[index]?.tags.get(v1)).toBe(root);
      }
    });

    it('writes a tag once: whether to try again is for the caller to say', async () => {
      let puts = 0;
      class Wavering extends MemoryStore {
        override async putTag(): Promise<void> {
          puts += 1;
          throw failing('unreachable', true);
        }
      }

      expect(await copiedTo(new Wavering())).toMatchObject({ outcome: 'failed', error: { code: 'target-unreachable', retryable: true } });
      expect(puts).toBe(1);
    });

    it('keeps the counts of what was done before', async () => {
      const report = await copiedTo(new Untagged());

      expect(report).toMatchObject({ outcome: 'failed', manifests: { copied: 5 }, blobs: { copied: blobsOf(built).size } });
    });
  });

  describe('rejects when no target can begin', () => {
    const target = () => ({ id: 't', store: new MemoryStore() });

    it('because the source lacks the root', async () => {
      await expect(copyGraph(new MemoryStore(), root, [target()])).rejects.toMatchObject({
        code: 'source-missing',
        side: 'source',
        digest: root,
      });
    });

    it('because the arguments are wrong', async () => {
      const source = await memoryStoreWith(built);

      await expect(copyGraph(source, root, [])).rejects.toMatchObject({ code: 'arguments-invalid' });
      await expect(copyGraph(source, root, [target(), target()])).rejects.toMatchObject({ code: 'arguments-invalid' });
      await expect(copyGraph(source, root, [target()], { blobsInParallel: 0 })).rejects.toMatchObject({ code: 'arguments-invalid' });
    });

    it('because it was cancelled before', async () => {
      const source = await memoryStoreWith(built);

      await expect(copyGraph(source, root, [target()], { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
      expect(source.calls).toEqual([]);
    });
  });

  describe('with a graph that cannot be read whole', () => {
    it('writes nothing anywhere and names the source', async () => {
      const source = await memoryStoreWith(built);
      source.manifests.delete(base.manifest.digest);
      const stores = [new MemoryStore(), new MemoryStore()];

      const report = await copyGraph(
        source,
        root,
        stores.map((store, index) => ({ id: `t${index}`, store })),
      );

      for (const each of report.targets.values()) {
        expect(each).toMatchObject({ outcome: 'failed', error: { code: 'source-missing', digest: base.manifest.digest } });
      }
      expect(stores.map((store) => store.calls)).toEqual([[], []]);
    });

    it('says when it is too large', async () => {
      const report = await copyGraph(await memoryStoreWith(built), root, [{ id: 't', store: new MemoryStore() }], { maxManifests: 4 });

      expect(report.targets.get('t')).toMatchObject({ outcome: 'failed', error: { code: 'graph-too-large', side: 'engine' } });
    });
  });
});
