import { describe, expect, it } from '@jest/globals';
import {
  type BlobRef,
  type BlobUpload,
  ContentError,
  type ContentErrorCode,
  isBlobMounter,
  type MountResult,
  parseRepositoryName,
  type PushBlobOptions,
  type RepositoryName,
} from '@waybill/oci-model';
import { blobsOf, buildImage, MemoryRegistry, MemoryStore, memoryStoreWith } from '@waybill/testing';
import type { Readable } from 'node:stream';
import { copyGraph } from './copy-graph.js';
import type { CopyOptions } from './options.js';

const image = buildImage();
const digests = [...blobsOf(image).keys()].sort();
const [one, two, three, four] = ['one', 'two', 'three', 'four'].map(parseRepositoryName) as [
  RepositoryName,
  RepositoryName,
  RepositoryName,
  RepositoryName,
];

async function mounted(
  { registry, store }: { readonly registry: MemoryRegistry; readonly store?: MemoryStore },
  { from, ...options }: CopyOptions & { readonly from: readonly RepositoryName[] },
) {
  const source = await memoryStoreWith(image);
  const target = store ?? registry.repository('target');
  const report = await copyGraph(source, image.manifest.digest, [{ id: 't', store: target, mountFrom: from }], {
    retryDelayMs: () => 0,
    ...options,
  });
  return { source, target, report: report.targets.get('t') };
}

/** Counts the sessions that pushes were given. */
class Noting extends MemoryStore {
  readonly given: BlobUpload[] = [];

  override async pushBlob(blob: BlobRef, content: Readable, options: PushBlobOptions = {}): Promise<void> {
    if (options.upload !== undefined) this.given.push(options.upload);
    await super.pushBlob(blob, content, options);
  }
}

describe('mounting blobs', () => {
  it('moves no bytes when a repository of the registry has them', async () => {
    const registry = new MemoryRegistry();
    await memoryStoreWith(image, registry.repository('two'));

    const { source, target, report } = await mounted({ registry }, { from: [one, two] });

    expect(source.callsOf('readBlob')).toEqual([]);
    expect(report).toMatchObject({ outcome: 'mounted', blobs: { copied: 0, mounted: 3 }, bytesCopied: 0, manifests: { copied: 1 } });
    expect(report?.presentBlobs).toEqual(new Set(digests));
    expect(target.openUploads.size).toBe(0);
  });

  it('is “copied” as soon as one blob was', async () => {
    const registry = new MemoryRegistry();
    const [digest] = digests as [never];
    registry.repository('one').blobs.set(digest, blobsOf(image).get(digest)!);

    const { report } = await mounted({ registry }, { from: [one] });

    expect(report).toMatchObject({ outcome: 'copied', blobs: { copied: 2, mounted: 1 } });
  });

  it('uses the session of a refused mount for the bytes and cancels further ones', async () => {
    const registry = new MemoryRegistry();
    const store = new Noting(registry);

    const { report } = await mounted({ registry, store }, { from: [one, two, three] });

    expect(report).toMatchObject({ outcome: 'copied' });
    expect(store.given).toHaveLength(3);
    expect(store.openUploads.size).toBe(0);
  });

  it('asks at most three repositories', async () => {
    const registry = new MemoryRegistry();
    await memoryStoreWith(image, registry.repository('four'));

    const { report } = await mounted({ registry }, { from: [one, two, three, four] });

    expect(report).toMatchObject({ outcome: 'copied', blobs: { mounted: 0 } });
  });

  it('copies to a store that cannot mount', async () => {
    // An image layout on disk: one folder, no other repositories.
    const store = Object.defineProperty(new MemoryStore(), 'mountBlob', { value: undefined });

    const { report } = await mounted({ registry: new MemoryRegistry(), store }, { from: [one] });

    expect(isBlobMounter(store)).toBe(false);
    expect(report).toMatchObject({ outcome: 'copied' });
  });

  it.each<ContentErrorCode>(['unauthorized', 'denied', 'unsupported', 'not-found', 'protocol', 'unavailable'])(
    'copies when mounting fails with %s',
    async (code) => {
      class Refusing extends MemoryStore {
        override async mountBlob(): Promise<MountResult> {
          throw new ContentError('no', { code, operation: 'mount blob', retryable: code === 'unavailable' });
        }
      }

      const { report } = await mounted({ registry: new MemoryRegistry(), store: new Refusing() }, { from: [one, two] });

      expect(report).toMatchObject({ outcome: 'copied', blobs: { copied: 3 } });
    },
  );

  it('copies what was mounted and cannot be read', async () => {
    // Distribution 2.8 answers 201 from its descriptor cache for a blob that a garbage collection took.
    class Forgetful extends MemoryStore {
      override async mountBlob(): Promise<MountResult> {
        return { mounted: true };
      }
    }
    const store = new Forgetful();

    const { report } = await mounted({ registry: new MemoryRegistry(), store }, { from: [one] });

    expect(report).toMatchObject({ outcome: 'copied', blobs: { copied: 3, mounted: 0 } });
    expect([...store.blobs.keys()].sort()).toEqual(digests);
  });

  it('cancels the session at hand when a later repository can be mounted from', async () => {
    const registry = new MemoryRegistry();
    await memoryStoreWith(image, registry.repository('three'));

    const { target, report } = await mounted({ registry }, { from: [one, two, three] });

    expect(report).toMatchObject({ outcome: 'mounted' });
    expect(target.openUploads.size).toBe(0);
  });

  it.each([
    ['the store found it silent', { code: 'stalled', operation: 'mount blob' }],
    ['the caller cancelled', { code: 'aborted' }],
  ])('ends, and leaves no session, when %s', async (_, error) => {
    const controller = new AbortController();
    class Silent extends MemoryStore {
      override async mountBlob(blob: BlobRef, from: RepositoryName, signal?: AbortSignal): Promise<MountResult> {
        if (from === one) return super.mountBlob(blob, from, signal);
        if (error.code === 'aborted') controller.abort();
        throw new ContentError('no answer', { code: 'timeout', operation: 'mount blob', retryable: true });
      }
    }
    const store = new Silent();

    const { report } = await mounted({ registry: new MemoryRegistry(), store }, { from: [one, two], signal: controller.signal });

    expect(report).toMatchObject({ error });
    expect(store.openUploads.size).toBe(0);
  });

  it('cancels sessions that the source has no bytes for', async () => {
    const registry = new MemoryRegistry();
    const source = await memoryStoreWith(image);
    source.blobs.clear();
    const store = registry.repository('target');

    const report = await copyGraph(source, image.manifest.digest, [{ id: 't', store, mountFrom: [one] }]);

    expect(report.targets.get('t')).toMatchObject({ outcome: 'failed', error: { code: 'source-missing' } });
    expect(store.openUploads.size).toBe(0);
  });
});
