import { describe, expect, it } from '@jest/globals';
import type { Readable } from 'node:stream';
import { type BlobRef, ContentError, type Manifest, parseTag, type PushBlobOptions } from '@waybill/oci-model';
import { blobsOf, buildImage, MemoryStore, memoryStoreWith } from '@waybill/testing';
import { copyGraph } from './copy-graph.js';
import type { CopyOptions } from './options.js';

const tag = parseTag('1.0.0');
const image = buildImage({ layers: 3, layerBytes: 2_000_000 });
const digests = [...blobsOf(image).keys()].sort();
/** Soon enough for a spec; what is asserted is the order of events. */
const holdUpMs = 20;

class Gate {
  readonly opened: Promise<void>;
  open: () => void = () => undefined;

  constructor() {
    this.opened = new Promise((resolve) => {
      this.open = resolve;
    });
  }

  /** Until it is opened, or the caller does not want it any more. */
  async pass(signal: AbortSignal | undefined): Promise<void> {
    const aborted = new Promise<never>((_, reject) => {
      signal?.addEventListener('abort', () => reject(new ContentError('cancelled', { code: 'aborted', operation: 'x' })), { once: true });
    });
    await Promise.race([this.opened, aborted]);
  }
}

/** Targets that do nothing at one point until they are let go on. */
const hanging: Readonly<Record<string, (gate: Gate) => MemoryStore>> = {
  'is asked for a blob': (gate) =>
    new (class extends MemoryStore {
      override async probeBlob(blob: BlobRef, signal?: AbortSignal): Promise<boolean> {
        await gate.pass(signal);
        return super.probeBlob(blob);
      }
    })(),
  'is to take bytes': (gate) =>
    new (class extends MemoryStore {
      override async pushBlob(blob: BlobRef, content: Readable, options?: PushBlobOptions): Promise<void> {
        await gate.pass(options?.signal);
        await super.pushBlob(blob, content, options);
      }
    })(),
  'has taken the bytes of a blob': (gate) =>
    new (class extends MemoryStore {
      override async pushBlob(blob: BlobRef, content: Readable, options?: PushBlobOptions): Promise<void> {
        await super.pushBlob(blob, content, options);
        await gate.pass(options?.signal);
      }
    })(),
  'is sent a manifest': (gate) =>
    new (class extends MemoryStore {
      override async pushManifest(manifest: Manifest, signal?: AbortSignal): Promise<void> {
        await gate.pass(signal);
        await super.pushManifest(manifest);
      }
    })(),
};

function copyTo(stores: Readonly<Record<string, MemoryStore>>, source: MemoryStore, options: CopyOptions) {
  const targets = Object.entries(stores).map(([id, store]) => ({ id, store, tags: [tag] }));
  return copyGraph(source, image.manifest.digest, targets, { holdUpMs, ...options });
}

describe('a target that hangs', () => {
  it.each(Object.entries(hanging))('when it %s lets the others be done, and is done itself when it goes on', async (_when, storeOf) => {
    const gate = new Gate();
    const stuck = storeOf(gate);
    const [good, fine] = [new MemoryStore(), new MemoryStore()];
    const source = await memoryStoreWith(image);
    const settled: string[] = [];
    const onSettled = (id: string): void => {
      settled.push(id);
      if (settled.length === 2) gate.open();
    };

    const { targets } = await copyTo({ stuck, good, fine }, source, { onSettled });

    expect(settled.slice(0, 2).sort()).toEqual(['fine', 'good']);
    expect(settled[2]).toBe('stuck');
    expect([...targets.values()].map(({ outcome }) => outcome)).toEqual(['copied', 'copied', 'copied']);
    for (const store of [stuck, good, fine]) {
      expect(store.tags.get(tag)).toBe(image.manifest.digest);
      expect(store.openUploads.size).toBe(0);
    }
  });

  it.each(Object.entries(hanging))('when it %s costs no more than one further read of a blob', async (_when, storeOf) => {
    const gate = new Gate();
    const source = await memoryStoreWith(image);

    await copyTo({ stuck: storeOf(gate), good: new MemoryStore() }, source, {
      onSettled: (id) => (id === 'good' ? gate.open() : undefined),
    });

    for (const digest of digests) expect(source.callsOf('readBlob').filter((read) => read === digest).length).toBeLessThanOrEqual(2);
  });

  it.each(Object.entries(hanging))('when it %s stops at once when the caller cancels', async (_when, storeOf) => {
    const cancel = new AbortController();
    const stuck = storeOf(new Gate());

    const { targets } = await copyTo({ stuck, good: new MemoryStore() }, await memoryStoreWith(image), {
      signal: cancel.signal,
      onSettled: (id) => (id === 'good' ? cancel.abort() : undefined),
    });

    expect(targets.get('good')).toMatchObject({ outcome: 'copied' });
    expect(targets.get('stuck')).toMatchObject({ outcome: 'cancelled' });
    expect(stuck.openUploads.size).toBe(0);
  });

  it('keeps nobody waiting who has the blobs already', async () => {
    const gate = new Gate();
    const settled: string[] = [];
    const stuck = hanging['is to take bytes']?.(gate) ?? new MemoryStore();

    await copyTo({ stuck, full: await memoryStoreWith(image) }, await memoryStoreWith(image), {
      holdUpMs: 60_000,
      onSettled: (id) => {
        settled.push(id);
        gate.open();
      },
    });

    expect(settled).toEqual(['full', 'stuck']);
  });
});

describe('a target that fails', () => {
  /** Refuses the first uploads as told, and takes the later ones. */
  class Refusing extends MemoryStore {
    constructor(
      private left: number,
      private readonly error: ContentError,
      private readonly gate?: Gate,
    ) {
      super();
    }

    override async pushBlob(blob: BlobRef, content: Readable, options?: PushBlobOptions): Promise<void> {
      if (this.left === 0) {
        await this.gate?.pass(options?.signal);
        return super.pushBlob(blob, content, options);
      }
      this.left -= 1;
      throw this.error;
    }
  }

  it('and is tried again keeps nobody waiting', async () => {
    const gate = new Gate();
    const busy = new ContentError('slow down', { code: 'rate-limited', operation: 'x', retryable: true, retryAfterMs: 1 });
    const settled: string[] = [];

    const { targets } = await copyTo({ busy: new Refusing(4, busy, gate), good: new MemoryStore() }, await memoryStoreWith(image), {
      holdUpMs: 60_000,
      onSettled: (id) => {
        settled.push(id);
        gate.open();
      },
    });

    expect(settled).toEqual(['good', 'busy']);
    expect(targets.get('busy')).toMatchObject({ outcome: 'copied' });
  });

  it('for good is told of as soon as nothing more is done there', async () => {
    const gate = new Gate();
    const full = new Refusing(Number.POSITIVE_INFINITY, new ContentError('no space left', { code: 'denied', operation: 'x' }));
    const stuck = hanging['is to take bytes']?.(gate) ?? new MemoryStore();
    const settled: [string, string][] = [];

    await copyTo({ stuck, full, good: new MemoryStore() }, await memoryStoreWith(image), {
      onSettled: (id, { outcome }) => {
        settled.push([id, outcome]);
        if (settled.length === 2) gate.open();
      },
    });

    expect(settled).toEqual([
      ['full', 'failed'],
      ['good', 'copied'],
      ['stuck', 'copied'],
    ]);
  });

  it('because of the source is told of like any other', async () => {
    const source = await memoryStoreWith(image);
    source.blobs.delete(image.config.digest);
    const settled: [string, string][] = [];

    await copyTo({ one: new MemoryStore(), two: new MemoryStore() }, source, {
      onSettled: (id, { outcome }) => void settled.push([id, outcome]),
    });

    expect(settled.sort()).toEqual([
      ['one', 'failed'],
      ['two', 'failed'],
    ]);
  });
});
