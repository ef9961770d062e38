import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PassThrough, type Readable } from 'node:stream';
import { type BlobRef, ContentError, type Manifest, parseRepositoryName, parseTag, type PushBlobOptions } from '@waybill/oci-model';
import { buildImage, buildIndex, MemoryStore, memoryStoreWith } from '@waybill/testing';
import { copyGraph } from './copy-graph.js';

const tag = parseTag('1.0.0');
const built = buildIndex([buildImage({ seed: 1, layers: 3, layerBytes: 200_000 }), buildImage({ seed: 2 })]);
const root = built.manifest.digest;

/** Waits for a signal, as a store does that is asked and does not answer. */
function untilStopped(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(new ContentError('stopped', { code: 'aborted', operation: 'x' })), { once: true });
  });
}

/** Counts calls of a store that have not settled. */
class Watched extends MemoryStore {
  running = 0;

  override async pushBlob(blob: BlobRef, content: Readable, options?: PushBlobOptions): Promise<void> {
    this.running += 1;
    try {
      await super.pushBlob(blob, content, options);
    } finally {
      this.running -= 1;
    }
  }
}

describe('cancelling a copy', () => {
  const stray: unknown[] = [];
  const note = (reason: unknown) => void stray.push(reason);
  beforeEach(() => {
    stray.length = 0;
    process.on('unhandledRejection', note);
  });
  afterEach(() => {
    process.off('unhandledRejection', note);
    expect(stray).toEqual([]);
  });

  it('in the middle of the bytes stops both ends and leaves no session', async () => {
    const controller = new AbortController();
    const streams: Readable[] = [];
    // A source that sends a first chunk and then keeps the reader waiting.
    class Pausing extends MemoryStore {
      override async readBlob(): Promise<Readable> {
        const content = new PassThrough();
        content.write('first');
        streams.push(content);
        return content;
      }
    }
    const source = await memoryStoreWith(built, new Pausing());
    const stores = [new Watched(), new Watched()];
    const targets = stores.map((store, index) => ({ id: `t${index}`, store, tags: [tag], mountFrom: [parseRepositoryName('base')] }));

    const report = await copyGraph(source, root, targets, {
      signal: controller.signal,
      hooks: { onBytes: () => setImmediate(() => controller.abort('enough')) },
    });

    for (const each of report.targets.values()) {
      expect(each).toMatchObject({ outcome: 'cancelled', error: { code: 'aborted', side: 'engine', cause: 'enough' } });
    }
    expect(streams.length).toBeGreaterThan(0);
    expect(streams.every((stream) => stream.destroyed)).toBe(true);
    for (const store of stores) {
      expect([store.running, store.openUploads.size, store.blobs.size, store.tags.size]).toEqual([0, 0, 0, 0]);
    }
  });

  it('while a target does not answer ends the request', async () => {
    const controller = new AbortController();
    class Silent extends MemoryStore {
      override async probeBlob(_: BlobRef, signal?: AbortSignal): Promise<boolean> {
        setImmediate(() => controller.abort());
        return untilStopped(signal);
      }
    }
    const report = await copyGraph(await memoryStoreWith(built), root, [{ id: 't', store: new Silent() }], { signal: controller.signal });

    expect(report.targets.get('t')).toMatchObject({ outcome: 'cancelled' });
  });

  it('while the source opens a blob ends that, too', async () => {
    const controller = new AbortController();
    class Silent extends MemoryStore {
      override async readBlob(_: BlobRef, signal?: AbortSignal): Promise<Readable> {
        setImmediate(() => controller.abort());
        return untilStopped(signal);
      }
    }
    const source = await memoryStoreWith(built, new Silent());

    const report = await copyGraph(source, root, [{ id: 't', store: new MemoryStore() }], { signal: controller.signal });

    expect(report.targets.get('t')).toMatchObject({ outcome: 'cancelled' });
  });

  it('does not wait for the end of a backoff', async () => {
    const controller = new AbortController();
    class Failing extends MemoryStore {
      override async readBlob(): Promise<Readable> {
        setImmediate(() => controller.abort());
        throw new ContentError('no', { code: 'unavailable', operation: 'read blob', retryable: true });
      }
    }
    const source = await memoryStoreWith(built, new Failing());

    const report = await copyGraph(source, root, [{ id: 't', store: new MemoryStore() }], {
      signal: controller.signal,
      retryDelayMs: () => 3_600_000,
    });

    expect(report.targets.get('t')).toMatchObject({ outcome: 'cancelled' });
  });

  it('while the graph is read cancels all targets', async () => {
    const controller = new AbortController();
    class Silent extends MemoryStore {
      override async readManifest(reference: Parameters<MemoryStore['readManifest']>[0], signal?: AbortSignal): Promise<Manifest> {
        if (reference === root) return super.readManifest(reference, signal);
        setImmediate(() => controller.abort());
        return untilStopped(signal);
      }
    }
    const source = await memoryStoreWith(built, new Silent());

    const report = await copyGraph(source, root, [{ id: 't', store: new MemoryStore() }], { signal: controller.signal });

    expect(report.targets.get('t')).toMatchObject({ outcome: 'cancelled' });
  });

  it('while the root is read rejects: no target had begun', async () => {
    const controller = new AbortController();
    class Silent extends MemoryStore {
      override async readManifest(_: unknown, signal?: AbortSignal): Promise<Manifest> {
        setImmediate(() => controller.abort());
        return untilStopped(signal);
      }
    }

    const copy = copyGraph(new Silent(), root, [{ id: 't', store: new MemoryStore() }], { signal: controller.signal });

    await expect(copy).rejects.toMatchObject({ code: 'aborted' });
  });

  it('at the moment when the root has arrived cancels all targets before they begin', async () => {
    const controller = new AbortController();
    class Prompt extends MemoryStore {
      override async readManifest(reference: Parameters<MemoryStore['readManifest']>[0]): Promise<Manifest> {
        const manifest = await super.readManifest(reference);
        controller.abort();
        return manifest;
      }
    }
    const source = await memoryStoreWith(built, new Prompt());
    const store = new MemoryStore();

    const report = await copyGraph(source, root, [{ id: 't', store }], { signal: controller.signal });

    expect(report.targets.get('t')).toMatchObject({ outcome: 'cancelled', error: { code: 'aborted' } });
    expect(store.calls).toEqual([]);
  });

  it('takes nothing back from a target that has everything', async () => {
    const controller = new AbortController();
    class Silent extends MemoryStore {
      override async pushManifest(_: Manifest, signal?: AbortSignal): Promise<void> {
        return untilStopped(signal);
      }
    }
    const targets = [
      { id: 'done', store: new MemoryStore(), tags: [tag] },
      { id: 'late', store: new Silent(), tags: [tag] },
    ];

    const report = await copyGraph(await memoryStoreWith(built), root, targets, {
      signal: controller.signal,
      hooks: { afterTag: () => void setImmediate(() => controller.abort()) },
    });

    expect(report.targets.get('done')).toMatchObject({ outcome: 'copied' });
    expect(report.targets.get('late')).toMatchObject({ outcome: 'cancelled' });
  });

  it('keeps the failure of a target that failed before', async () => {
    const controller = new AbortController();
    class Closed extends MemoryStore {
      override async probeBlob(): Promise<boolean> {
        setImmediate(() => controller.abort());
        throw new ContentError('no', { code: 'denied', operation: 'probe blob' });
      }
    }
    class Silent extends MemoryStore {
      override async probeBlob(_: BlobRef, signal?: AbortSignal): Promise<boolean> {
        return untilStopped(signal);
      }
    }
    const targets = [
      { id: 'closed', store: new Closed() },
      { id: 'silent', store: new Silent() },
    ];

    const report = await copyGraph(await memoryStoreWith(built), root, targets, { signal: controller.signal });

    expect(report.targets.get('closed')).toMatchObject({ outcome: 'failed', error: { code: 'target-denied' } });
    expect(report.targets.get('silent')).toMatchObject({ outcome: 'cancelled' });
  });
});
