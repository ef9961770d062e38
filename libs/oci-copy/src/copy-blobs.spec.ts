import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { PassThrough, type Readable } from 'node:stream';
import { type BlobRef, ContentError, type ContentErrorCode, type Digest, digestOf, type PushBlobOptions } from '@waybill/oci-model';
import { blobsOf, buildImage, MemoryStore, memoryStoreWith } from '@waybill/testing';
import { copyGraph } from './copy-graph.js';
import type { CopyOptions } from './options.js';

const image = buildImage({ layers: 3, layerBytes: 300_000 });
const digests = [...blobsOf(image).keys()].sort();
const largest = image.layers[0]!.digest;
const quick: CopyOptions = { retryDelayMs: () => 0 };

function failing(code: ContentErrorCode, retryable = false): ContentError {
  return new ContentError('no', { code, operation: 'x', retryable });
}

async function copied(source: MemoryStore, stores: readonly MemoryStore[], options: CopyOptions = {}) {
  const targets = stores.map((store, index) => ({ id: `t${index}`, store }));
  const report = await copyGraph(source, image.manifest.digest, targets, { ...quick, ...options });
  return [...report.targets.values()];
}

function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** Counts the failures that are still to come for one blob. */
class Misfortune {
  constructor(
    private readonly digest: Digest,
    private left: number,
    readonly error: ContentError,
  ) {}

  strikes(blob: BlobRef): boolean {
    if (blob.digest !== this.digest || this.left === 0) return false;
    this.left -= 1;
    return true;
  }
}

/** A source whose connection breaks in the middle of a blob. */
class FlakySource extends MemoryStore {
  constructor(private readonly misfortune: Misfortune) {
    super();
  }

  override async readBlob(blob: BlobRef, signal?: AbortSignal): Promise<Readable> {
    const content = await super.readBlob(blob, signal);
    const { error } = this.misfortune;
    if (this.misfortune.strikes(blob)) content.once('data', () => content.destroy(error));
    return content;
  }
}

/** A target that refuses an upload after its first bytes. */
class FlakyTarget extends MemoryStore {
  constructor(private readonly misfortune: Misfortune) {
    super();
  }

  override async pushBlob(blob: BlobRef, content: Readable, options?: PushBlobOptions): Promise<void> {
    if (this.misfortune.strikes(blob)) {
      await once(content, 'readable');
      throw this.misfortune.error;
    }
    await super.pushBlob(blob, content, options);
  }
}

function flakySource(failures: number, error: ContentError): Promise<MemoryStore> {
  return memoryStoreWith(image, new FlakySource(new Misfortune(largest, failures, error)));
}

function flakyTarget(failures: number, error: ContentError): MemoryStore {
  return new FlakyTarget(new Misfortune(largest, failures, error));
}

describe('copying blobs', () => {
  it('does not read the source for what every target has', async () => {
    const source = await memoryStoreWith(image);
    const stores = [await memoryStoreWith(image), await memoryStoreWith(image)];

    const reports = await copied(source, stores);

    expect(source.callsOf('readBlob')).toEqual([]);
    for (const [index, report] of reports.entries()) {
      expect(report).toMatchObject({ outcome: 'already-present', blobs: { copied: 0, mounted: 0, skipped: 4 }, bytesCopied: 0 });
      expect(report.presentBlobs).toEqual(new Set(digests));
      expect(stores[index]?.callsOf('probeBlob').sort()).toEqual(digests);
    }
  });

  it('reads the source once for the targets that lack a blob', async () => {
    const source = await memoryStoreWith(image);
    const partly = new MemoryStore();
    partly.blobs.set(largest, blobsOf(image).get(largest)!);

    const reports = await copied(source, [partly, new MemoryStore(), new MemoryStore()]);

    expect(source.callsOf('readBlob').sort()).toEqual(digests);
    expect(reports.map(({ blobs }) => blobs.copied)).toEqual([3, 4, 4]);
    expect(partly.callsOf('pushBlob')).not.toContain(largest);
  });

  it('counts bytes of blobs, the empty one included', async () => {
    const empty = { digest: 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' as Digest, size: 0 };
    const artifact = buildImage({ layers: 0 });
    const bytes = JSON.stringify({
      ...(JSON.parse(Buffer.from(artifact.manifest.bytes).toString()) as object),
      layers: [
        { mediaType: 'x/y', ...empty },
        { mediaType: 'x/y', ...empty },
      ],
    });
    const source = new MemoryStore();
    for (const [digest, blob] of artifact.blobs) source.blobs.set(digest, blob);
    source.blobs.set(empty.digest, Buffer.alloc(0));
    const manifest = { ...artifact.manifest, bytes: Buffer.from(bytes) };
    const root = digestOf(manifest.bytes);
    source.manifests.set(root, { ...manifest, digest: root });
    const store = new MemoryStore();

    const report = (await copyGraph(source, root, [{ id: 't', store }])).targets.get('t');

    expect(report).toMatchObject({ outcome: 'copied', blobs: { copied: 2 }, bytesCopied: artifact.config.size });
    expect(store.blobs.get(empty.digest)?.byteLength).toBe(0);
  });

  it.each([1, 2])('survives a source that breaks off %d times, and gives the bytes to all again', async (failures) => {
    const source = await flakySource(failures, failing('unreachable', true));
    const stores = [new MemoryStore(), new MemoryStore()];

    const reports = await copied(source, stores);

    expect(reports.map(({ outcome }) => outcome)).toEqual(['copied', 'copied']);
    expect(source.callsOf('readBlob').filter((digest) => digest === largest)).toHaveLength(failures + 1);
    for (const store of stores) expect(store.openUploads.size).toBe(0);
  });

  it('gives a source up that keeps breaking off', async () => {
    const source = await flakySource(3, failing('unreachable', true));

    const reports = await copied(source, [new MemoryStore(), new MemoryStore()]);

    for (const report of reports) {
      expect(report).toMatchObject({
        outcome: 'failed',
        error: { code: 'source-unreachable', side: 'source', digest: largest, retryable: true },
      });
    }
  });

  it('reads wrong bytes twice and then names the source; none of them is committed', async () => {
    const source = await memoryStoreWith(image);
    source.blobs.get(largest)!.set([255], 1000);
    const stores = [new MemoryStore(), new MemoryStore()];

    const reports = await copied(source, stores);

    for (const report of reports) {
      expect(report).toMatchObject({ outcome: 'failed', error: { code: 'source-corrupt', side: 'source', digest: largest } });
    }
    expect(source.callsOf('readBlob').filter((digest) => digest === largest)).toHaveLength(2);
    for (const store of stores) {
      expect(store.blobs.has(largest)).toBe(false);
      expect(store.manifests.size + store.openUploads.size).toBe(0);
    }
  });

  it('survives wrong bytes that come right the second time', async () => {
    const source = await flakySource(1, failing('digest-mismatch'));

    expect(await copied(source, [new MemoryStore()])).toMatchObject([{ outcome: 'copied' }]);
  });

  it('names the source when it lacks a blob that its manifest names', async () => {
    const source = await memoryStoreWith(image);
    source.blobs.delete(largest);

    expect(await copied(source, [new MemoryStore()])).toMatchObject([
      { outcome: 'failed', error: { code: 'source-missing', side: 'source', digest: largest, operation: 'read blob' } },
    ]);
  });

  it('tries an upload again for the one target that needs it', async () => {
    const source = await memoryStoreWith(image);
    const flaky = flakyTarget(1, failing('upload-invalid', true));
    const steady = new MemoryStore();

    const reports = await copied(source, [flaky, steady]);

    expect(reports.map(({ outcome }) => outcome)).toEqual(['copied', 'copied']);
    expect(steady.callsOf('pushBlob').sort()).toEqual(digests);
    expect(source.callsOf('readBlob').filter((digest) => digest === largest)).toHaveLength(2);
  });

  it('lets one failing target drop out and the others go on', async () => {
    const source = await memoryStoreWith(image);
    const stores = [new MemoryStore(), flakyTarget(1, failing('denied')), new MemoryStore()];

    const reports = await copied(source, stores);

    expect(reports.map(({ outcome }) => outcome)).toEqual(['copied', 'failed', 'copied']);
    expect(reports[1]).toMatchObject({ error: { code: 'target-denied', side: 'target', target: 't1', digest: largest } });
    expect(source.callsOf('readBlob').sort()).toEqual(digests);
  });

  it('names the target when it calls bytes wrong that were right', async () => {
    const source = await memoryStoreWith(image);

    expect(await copied(source, [flakyTarget(1, failing('digest-mismatch'))])).toMatchObject([
      { outcome: 'failed', error: { code: 'target-corrupt', side: 'target', digest: largest } },
    ]);
  });

  it('does not try a target again that the store found silent', async () => {
    const source = await memoryStoreWith(image);

    expect(await copied(source, [flakyTarget(1, failing('timeout', true))])).toMatchObject([
      { outcome: 'failed', error: { code: 'stalled' } },
    ]);
    expect(source.callsOf('readBlob').filter((digest) => digest === largest)).toHaveLength(1);
  });

  it('gives a source up that sends nothing, after trying again', async () => {
    // A source whose connection stays open and sends no byte.
    class Mute extends MemoryStore {
      override async readBlob(blob: BlobRef): Promise<Readable> {
        this.note('readBlob', blob.digest);
        return new PassThrough();
      }
    }
    const source = await memoryStoreWith(image, new Mute());

    const reports = await copied(source, [new MemoryStore()], { stallTimeoutMs: 20, blobsInParallel: 1 });

    expect(reports).toMatchObject([{ outcome: 'failed', error: { code: 'stalled', side: 'source', retryable: true } }]);
    const first = source.callsOf('readBlob')[0];
    expect(source.callsOf('readBlob').filter((digest) => digest === first)).toHaveLength(3);
  });

  it('begins with the largest blob and mixes small ones in', async () => {
    const source = await memoryStoreWith(image);

    await copied(source, [new MemoryStore()], { blobsInParallel: 1 });

    const sizes = source.callsOf('readBlob').map((digest) => blobsOf(image).get(digest as Digest)!.byteLength);
    const sorted = [...sizes].sort((a, b) => b - a);
    expect(sizes).toEqual([sorted[0], sorted[3], sorted[1], sorted[2]]);
  });

  it('transfers no more blobs at a time than it may', async () => {
    let [now, most] = [0, 0];
    class Counting extends MemoryStore {
      override async pushBlob(blob: BlobRef, content: Readable, options?: PushBlobOptions): Promise<void> {
        now += 1;
        most = Math.max(most, now);
        await super.pushBlob(blob, content, options);
        now -= 1;
      }
    }
    const many = buildImage({ layers: 12, layerBytes: 100_000 });

    await copyGraph(await memoryStoreWith(many), many.manifest.digest, [{ id: 't', store: new Counting() }], { blobsInParallel: 3 });

    expect(most).toBe(3);
  });

  it('lets transfers end that are under way at a target when the source lacks another blob', async () => {
    const [begun, lacking] = [gate(), gate()];
    class Lacking extends MemoryStore {
      override async readBlob(blob: BlobRef, signal?: AbortSignal): Promise<Readable> {
        if (blob.digest !== image.config.digest) return super.readBlob(blob, signal);
        await begun.opened;
        setImmediate(lacking.open);
        throw failing('not-found');
      }
    }
    class Slow extends MemoryStore {
      private waiting = 0;

      override async pushBlob(blob: BlobRef, content: Readable, options?: PushBlobOptions): Promise<void> {
        this.waiting += 1;
        if (this.waiting === 3) begun.open();
        await lacking.opened;
        await super.pushBlob(blob, content, options);
      }
    }
    const source = await memoryStoreWith(image, new Lacking());
    const store = new Slow();

    const [report] = await copied(source, [store]);

    expect(report).toMatchObject({ outcome: 'failed', error: { code: 'source-missing', digest: image.config.digest } });
    expect(report?.presentBlobs).toEqual(new Set(image.layers.map((layer) => layer.digest)));
    expect(store.blobs.size).toBe(3);
  });
});
