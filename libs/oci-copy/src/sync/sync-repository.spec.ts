import { describe, expect, it } from '@jest/globals';
import {
  type BlobRef,
  ContentError,
  type ContentErrorCode,
  type Digest,
  type Manifest,
  parseTag,
  type PushBlobOptions,
  referrersTagOf,
  type Tag,
} from '@waybill/oci-model';
import {
  type BuiltContent,
  buildCosignTag,
  buildImage,
  buildIndex,
  buildReferrer,
  expectContained,
  MemoryRegistry,
  MemoryStore,
  pushBuilt,
} from '@waybill/testing';
import type { Readable } from 'node:stream';
import type { SyncOptions, TagReport } from './sync-options.js';
import { syncRepository } from './sync-repository.js';

const base = buildImage({ seed: 1, layerBytes: 50_000 });
const apps = Array.from({ length: 6 }, (_, index) => buildImage({ seed: 10 + index, layers: 1, base }));
const tagged: Readonly<Record<string, BuiltContent>> = Object.fromEntries(apps.map((app, index) => [`1.${index}.0`, app]));

function failing(code: ContentErrorCode, retryable = false): ContentError {
  return new ContentError('no', { code, operation: 'x', retryable });
}

async function storeWith<Store extends MemoryStore>(tags: Readonly<Record<string, BuiltContent>>, store: Store): Promise<Store> {
  for (const [tag, content] of Object.entries(tags)) {
    await pushBuilt(store, content);
    await store.putTag(parseTag(tag), content.manifest);
  }
  store.calls.length = 0;
  return store;
}

/** Syncs, and gives the outcomes by target and tag. */
async function synced(source: MemoryStore, stores: Readonly<Record<string, MemoryStore>>, options: SyncOptions = {}) {
  const reports: TagReport[] = [];
  const targets = Object.entries(stores).map(([id, store]) => ({ id, store }));
  const report = await syncRepository(source, targets, {
    retryDelayMs: () => 0,
    onTag: (each) => void reports.push(each),
    ...options,
  });
  const outcomes = (id: string) =>
    Object.fromEntries(reports.filter(({ target }) => target === id).map(({ tag, outcome }) => [tag as string, outcome]));
  return { report, reports, outcomes };
}

function writesOf(store: MemoryStore): string[] {
  return store.calls.filter(({ method }) => ['pushBlob', 'pushManifest', 'putTag', 'mountBlob'].includes(method)).map(({ about }) => about);
}

describe('syncRepository', () => {
  it('brings all tags to all targets, each shared blob read and uploaded once', async () => {
    const source = await storeWith(tagged, new MemoryStore());
    const stores = { a: new MemoryStore(), b: new MemoryStore() };

    const { report, outcomes } = await synced(source, stores);

    const reads = source.callsOf('readBlob');
    expect(new Set(reads).size).toBe(reads.length);
    for (const [id, store] of Object.entries(stores)) {
      expect(store.tags).toEqual(source.tags);
      const uploads = store.callsOf('pushBlob');
      expect(new Set(uploads).size).toBe(uploads.length);
      const probes = store.callsOf('probeBlob');
      expect(new Set(probes).size).toBe(probes.length);
      expect(outcomes(id)).toEqual(Object.fromEntries(Object.keys(tagged).map((tag) => [tag, 'copied'])));
      expect(report.targets.get(id)).toMatchObject({ copied: 6, unchanged: 0, failed: 0, bytesCopied: expect.any(Number) });
    }
    expect(report.tags).toBe(6);
  });

  it('asks one HEAD for each tag at each side when nothing has changed', async () => {
    const source = await storeWith(tagged, new MemoryStore());
    const stores = { a: await storeWith(tagged, new MemoryStore()), b: await storeWith(tagged, new MemoryStore()) };

    const { report } = await synced(source, stores);

    for (const store of [source, stores.a, stores.b]) {
      expect(store.calls.map(({ method }) => method)).toEqual(Array.from({ length: 6 }, () => 'resolveTag'));
      expect(store.callsOf('resolveTag').sort()).toEqual(Object.keys(tagged).sort());
    }
    expect(report.targets.get('a')).toMatchObject({ unchanged: 6, copied: 0, bytesCopied: 0 });
  });

  it('copies a digest once for all tags that name it', async () => {
    const source = await storeWith({ '1.0.0': base, '1.0': base, latest: base }, new MemoryStore());
    const store = await storeWith({ '1.0': base }, new MemoryStore());

    const { outcomes } = await synced(source, { t: store });

    expect(outcomes('t')).toEqual({ '1.0.0': 'copied', '1.0': 'unchanged', latest: 'copied' });
    expect(source.callsOf('readManifest')).toEqual([base.manifest.digest]);
    expect(writesOf(store).sort()).toEqual(['1.0.0', 'latest']);
  });

  it('moves tags that name something else, and leaves those alone that the source does not have', async () => {
    const source = await storeWith({ latest: apps[0]! }, new MemoryStore());
    const store = await storeWith({ latest: base, old: base }, new MemoryStore());

    const { reports } = await synced(source, { t: store });

    expect(reports).toMatchObject([
      { tag: 'latest', outcome: 'copied', before: base.manifest.digest, digest: apps[0]!.manifest.digest, copy: { outcome: 'copied' } },
    ]);
    expect(store.tags).toEqual(
      new Map([
        ['latest', apps[0]!.manifest.digest],
        ['old', base.manifest.digest],
      ]),
    );
  });

  it('brings the tags that are chosen', async () => {
    const source = await storeWith(tagged, new MemoryStore());
    const store = new MemoryStore();

    const { report } = await synced(source, { t: store }, { tags: (tag) => tag.startsWith('1.2') });

    expect([...store.tags.keys()]).toEqual(['1.2.0']);
    expect(report.tags).toBe(1);
    expect(source.callsOf('resolveTag')).toEqual(['1.2.0']);
  });

  it('does not move an immutable tag, also when it appears during the copy', async () => {
    const source = await storeWith({ '1.0.0': apps[0]!, '2.0.0': apps[1]! }, new MemoryStore());
    class Contested extends MemoryStore {
      override async pushManifest(manifest: Manifest, signal?: AbortSignal): Promise<void> {
        await super.pushManifest(manifest, signal);
        this.tags.set(parseTag('2.0.0'), base.manifest.digest);
      }
    }
    const store = await storeWith({ '1.0.0': base }, new Contested());
    store.tags.delete(parseTag('2.0.0'));

    const { reports, outcomes } = await synced(source, { t: store }, { isImmutable: () => true });

    expect(outcomes('t')).toEqual({ '1.0.0': 'conflict', '2.0.0': 'conflict' });
    expect(reports[0]).toMatchObject({ error: { code: 'target-conflict', details: { current: base.manifest.digest } } });
    expect([...store.tags.values()]).toEqual([base.manifest.digest, base.manifest.digest]);
    expect(store.callsOf('putTag')).toEqual([]);
  });

  it('leaves a tag alone that somebody else has written meanwhile', async () => {
    const source = await storeWith({ '1.0.0': base }, new MemoryStore());
    class Quick extends MemoryStore {
      override async pushManifest(manifest: Manifest, signal?: AbortSignal): Promise<void> {
        await super.pushManifest(manifest, signal);
        this.tags.set(parseTag('1.0.0'), manifest.digest);
      }
    }
    const store = new Quick();

    const { reports } = await synced(source, { t: store });

    expect(reports).toMatchObject([{ outcome: 'unchanged', copy: { outcome: 'copied' } }]);
    expect(store.callsOf('putTag')).toEqual([]);
  });

  it('mounts what it may', async () => {
    const registry = new MemoryRegistry();
    await pushBuilt(registry.repository('base'), base);
    const source = await storeWith({ '1.0.0': base }, new MemoryStore());
    const store = registry.repository('app');

    await syncRepository(source, [{ id: 't', store, mountFrom: ['base' as never] }]);

    expect(store.callsOf('pushBlob')).toEqual([]);
    expect(store.callsOf('mountBlob')).toHaveLength(3);
  });

  it('finds what is gone beneath an unchanged tag when it is told to check', async () => {
    const source = await storeWith(tagged, new MemoryStore());
    const store = await storeWith(tagged, new MemoryStore());
    const [lost] = [...apps[3]!.blobs.keys()] as [Digest];
    store.blobs.delete(lost);

    const { outcomes } = await synced(source, { t: store }, { unchanged: 'check' });

    expect(store.callsOf('pushBlob')).toEqual([lost]);
    expect(outcomes('t')).toEqual(Object.fromEntries(Object.keys(tagged).map((tag) => [tag, 'unchanged'])));
  });
});

describe('syncRepository with reserved tags', () => {
  const signed = buildCosignTag(base);
  const sbom = buildReferrer(base, { artifactType: 'application/spdx+json' });

  async function signedSource(): Promise<MemoryStore> {
    const source = await storeWith({ '1.0.0': base }, new MemoryStore());
    await pushBuilt(source, signed.content);
    source.tags.set(signed.tag, signed.content.manifest.digest);
    await pushBuilt(source, sbom);
    await source.putTag(referrersTagOf(base.manifest.digest), buildIndex([sbom]).manifest);
    source.calls.length = 0;
    return source;
  }

  it('does not take them for tags', async () => {
    const source = await signedSource();
    const store = new MemoryStore();
    const asked: Tag[] = [];

    const { report } = await synced(source, { t: store }, { tags: (tag) => asked.push(tag) > 0 });

    expect([...store.tags.keys()]).toEqual(['1.0.0']);
    expect(asked).toEqual(['1.0.0']);
    expect(report.tags).toBe(1);
  });

  it('brings cosign’s as referrers, outside immutability, and leaves the fallback tag to the store', async () => {
    const source = await signedSource();
    const store = await storeWith({ '1.0.0': base }, new MemoryStore());
    const older = buildCosignTag(base, { seeds: [] });
    await pushBuilt(store, older.content);
    store.tags.set(signed.tag, older.content.manifest.digest);

    const { reports } = await synced(source, { t: store }, { referrers: 'all', isImmutable: () => true });

    expect(reports).toMatchObject([{ tag: '1.0.0', outcome: 'unchanged', copy: { outcome: 'copied', referrers: { length: 2 } } }]);
    expect(store.tags.get(signed.tag)).toBe(signed.content.manifest.digest);
    expect(store.tags.has(referrersTagOf(base.manifest.digest))).toBe(false);
    await expectContained(source, store, base.manifest.digest);
  });

  it('looks beneath unchanged tags for what refers to them, without asking the target for the content', async () => {
    const source = await signedSource();
    const store = await storeWith({ '1.0.0': base }, new MemoryStore());

    await synced(source, { t: store }, { referrers: 'all' });
    [source, store].forEach((each) => (each.calls.length = 0));
    const { report } = await synced(source, { t: store }, { referrers: 'all' });

    expect(report.targets.get('t')).toMatchObject({ unchanged: 1, copied: 0, referrersLeft: 0 });
    expect(writesOf(store)).toEqual([]);
    expect(store.callsOf('readManifest').sort()).toEqual([signed.content.manifest.digest, sbom.manifest.digest].sort());
    expect(source.callsOf('resolveTag')).toEqual(['1.0.0', signed.tag]);
  });

  it('counts referrers that were left, and goes on', async () => {
    const source = await signedSource();
    const store = await storeWith({ '1.0.0': base }, new MemoryStore());
    const other = buildCosignTag(base, { seeds: [9] });
    await pushBuilt(store, other.content);
    store.tags.set(signed.tag, other.content.manifest.digest);

    const { report } = await synced(source, { t: store }, { referrers: 'all' });

    expect(report.targets.get('t')).toMatchObject({ unchanged: 1, failed: 0, referrersLeft: 1 });
    expect(store.tags.get(signed.tag)).toBe(other.content.manifest.digest);
  });

  it('fails a tag whose required referrer does not arrive', async () => {
    const source = await signedSource();

    const { outcomes } = await synced(source, { t: new MemoryStore() }, { referrers: { required: ['application/vnd.example.absent'] } });

    expect(outcomes('t')).toEqual({ '1.0.0': 'failed' });
  });
});

describe('syncRepository with something that fails', () => {
  const rotten = apps[2]!.layers.at(-1)!.digest;

  it('at the source loses that tag alone', async () => {
    class Patchy extends MemoryStore {
      override async resolveTag(tag: Tag, signal?: AbortSignal): Promise<Digest | undefined> {
        if (tag === '1.0.0') throw failing('denied');
        if (tag === '1.1.0') return undefined;
        return super.resolveTag(tag, signal);
      }
    }
    const source = await storeWith(tagged, new Patchy());
    source.blobs.delete(rotten);
    source.manifests.delete(apps[3]!.manifest.digest);
    const stores = { a: new MemoryStore(), b: new MemoryStore() };

    const { report, reports, outcomes } = await synced(source, stores);

    for (const id of ['a', 'b']) {
      expect(outcomes(id)).toEqual({
        '1.0.0': 'failed',
        '1.1.0': 'failed',
        '1.2.0': 'failed',
        '1.3.0': 'failed',
        '1.4.0': 'copied',
        '1.5.0': 'copied',
      });
      expect(report.targets.get(id)).toMatchObject({ copied: 2, failed: 4 });
    }
    const codes = Object.fromEntries(reports.flatMap((each) => ('error' in each ? [[each.tag as string, each.error.code]] : [])));
    expect(codes).toEqual({ '1.0.0': 'source-denied', '1.1.0': 'source-missing', '1.2.0': 'source-missing', '1.3.0': 'source-missing' });
  });

  it('reads a blob that is lost for all who name it no more than it must', async () => {
    const source = await storeWith(tagged, new MemoryStore());
    const shared = base.layers[0]!.digest;
    source.blobs.get(shared)!.set([255], 1000);

    const { report } = await synced(source, { t: new MemoryStore() }, { rootsInParallel: 1 });

    expect(report.targets.get('t')).toMatchObject({ failed: 6 });
    expect(source.callsOf('readBlob').filter((digest) => digest === shared)).toHaveLength(2);
  });

  it('does not let one tag’s bad layer take those down that wait for a layer they share', async () => {
    const [good, bad] = [apps[0]!, apps[2]!];
    const source = await storeWith({ bad, good }, new MemoryStore());
    source.blobs.delete(rotten);
    const store = new MemoryStore();

    const { outcomes } = await synced(source, { t: store }, { blobsInParallel: 8 });

    expect(outcomes('t')).toEqual({ bad: 'failed', good: 'copied' });
  });

  it('at one target does not stop the others', async () => {
    class Down extends MemoryStore {
      asked = 0;

      override async resolveTag(): Promise<Digest | undefined> {
        this.asked += 1;
        throw failing('unreachable', true);
      }
    }
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`v${index}`, apps[index % 6]!]));
    const source = await storeWith(many, new MemoryStore());
    const [down, up] = [new Down(), new MemoryStore()];

    const { report } = await synced(source, { down, up }, { manifestsInParallel: 2 });

    expect(report.targets.get('up')).toMatchObject({ copied: 40 });
    expect(report.targets.get('down')).toMatchObject({ failed: 40 });
    // It is not asked for every tag: it has shown that it is of no use.
    expect(down.asked).toBeLessThan(40);
  });

  it('leaves a target alone that went silent in the middle of a copy', async () => {
    let uploads = 0;
    // A registry that takes no bytes; its client gives up when it is asked again.
    class Hanging extends MemoryStore {
      override pushBlob(_blob: BlobRef, content: Readable, options: PushBlobOptions = {}): Promise<void> {
        uploads += 1;
        if (uploads > 2) return Promise.reject(failing('timeout'));
        return new Promise((_, reject) => {
          content.once('error', reject);
          options.signal?.addEventListener('abort', () => reject(failing('aborted')), { once: true });
        });
      }
    }
    const big = Object.fromEntries([1, 2, 3].map((seed) => [`v${seed}`, buildImage({ seed, layers: 1, layerBytes: 2_000_000 })]));
    const source = await storeWith(big, new MemoryStore());
    const good = new MemoryStore();

    const { report } = await synced(source, { stuck: new Hanging(), good }, { holdUpMs: 20, rootsInParallel: 1 });

    expect(report.targets.get('good')).toMatchObject({ copied: 3 });
    expect(report.targets.get('stuck')).toMatchObject({ failed: 3 });
    expect(uploads).toBeLessThanOrEqual(4);
  });

  it('writes the other tags of a digest when one is refused', async () => {
    class Choosy extends MemoryStore {
      override async putTag(tag: Tag, manifest: Manifest, signal?: AbortSignal): Promise<void> {
        if (tag === 'latest') throw failing('denied');
        await super.putTag(tag, manifest, signal);
      }
    }
    const source = await storeWith({ latest: base, '1.0.0': base }, new MemoryStore());

    const { outcomes } = await synced(source, { t: new Choosy() });

    expect(outcomes('t')).toEqual({ latest: 'failed', '1.0.0': 'copied' });
  });

  it('with a hook of the copy fails the tags of that root', async () => {
    const source = await storeWith({ bad: apps[0]!, good: apps[1]! }, new MemoryStore());
    const hooks: SyncOptions['hooks'] = {
      beforeTag: ({ tag }) => {
        if (tag === 'bad') throw new Error('not recorded');
      },
    };

    expect((await synced(source, { t: new MemoryStore() }, { hooks })).outcomes('t')).toEqual({ bad: 'failed', good: 'copied' });
  });

  it('counts what its own hook could not be told as failed', async () => {
    const source = await storeWith({ one: apps[0]!, two: apps[1]! }, new MemoryStore());
    const onTag = ({ tag }: TagReport) => {
      if (tag === 'one') throw new Error('not recorded');
    };

    const report = await syncRepository(source, [{ id: 't', store: new MemoryStore() }], { onTag });

    expect(report.targets.get('t')).toMatchObject({ failed: 1, copied: 1 });
  });
});

describe('syncRepository that cannot begin', () => {
  const targets = () => [{ id: 't', store: new MemoryStore() }];

  it.each<[string, SyncOptions, string]>([
    ['a wrong bound', { rootsInParallel: 0 }, 'arguments-invalid'],
    ['a wrong bound of tags', { maxTags: 0.5 }, 'arguments-invalid'],
    ['more tags than allowed', { maxTags: 5 }, 'too-many-tags'],
    ['a signal that came before', { signal: AbortSignal.abort() }, 'aborted'],
  ])('rejects with %s', async (_, options, code) => {
    await expect(syncRepository(await storeWith(tagged, new MemoryStore()), targets(), options)).rejects.toMatchObject({ code });
  });

  it('rejects when the tags cannot be listed', async () => {
    class Unlisting extends MemoryStore {
      override listTags(): AsyncIterable<Tag> {
        throw failing('denied');
      }
    }

    await expect(syncRepository(new Unlisting(), targets())).rejects.toMatchObject({ code: 'source-denied', operation: 'list tags' });
    await expect(syncRepository(new MemoryStore(), [])).rejects.toMatchObject({ code: 'arguments-invalid' });
  });

  it('has nothing to do for a repository without tags', async () => {
    expect(await syncRepository(new MemoryStore(), targets())).toMatchObject({ tags: 0 });
  });
});

describe('cancelling syncRepository', () => {
  it('ends what is under way, counts the rest, and leaves no session', async () => {
    const controller = new AbortController();
    const source = await storeWith(tagged, new MemoryStore());
    const store = new MemoryStore();
    const reports: TagReport[] = [];

    const report = await syncRepository(source, [{ id: 't', store }], {
      signal: controller.signal,
      rootsInParallel: 1,
      onTag: (each) => {
        reports.push(each);
        controller.abort();
      },
    });

    expect(reports[0]).toMatchObject({ outcome: 'copied' });
    expect(report.targets.get('t')).toMatchObject({ copied: 1, cancelled: 5, failed: 0 });
    expect(store.tags.size).toBe(1);
    expect(store.openUploads.size).toBe(0);
  });

  it('while tags are compared counts them all and tells of none', async () => {
    const controller = new AbortController();
    class Waiting extends MemoryStore {
      override async resolveTag(tag: Tag, signal?: AbortSignal): Promise<Digest | undefined> {
        controller.abort();
        return super.resolveTag(tag, signal);
      }
    }
    const source = await storeWith(tagged, new Waiting());

    const { report, reports } = await synced(source, { t: new MemoryStore() }, { signal: controller.signal });

    expect(report.targets.get('t')).toMatchObject({ cancelled: 6, failed: 0 });
    expect(reports).toEqual([]);
  });

  it('in the middle of the bytes leaves the tag unwritten', async () => {
    const controller = new AbortController();
    const source = await storeWith({ one: base }, new MemoryStore());
    const store = new MemoryStore();

    const { outcomes } = await synced(source, { t: store }, { signal: controller.signal, hooks: { onBytes: () => controller.abort() } });

    expect(outcomes('t')).toEqual({ one: 'cancelled' });
    expect([store.tags.size, store.openUploads.size]).toEqual([0, 0]);
  });
});

describe('syncRepository of very many tags', () => {
  it('keeps sums and no reports', async () => {
    const many = Array.from({ length: 10_000 }, (_, index) => parseTag(`v${index}`));
    const [source, store] = [await storeWith({ v0: base }, new MemoryStore()), await storeWith({ v0: base }, new MemoryStore())];
    for (const tag of many) for (const each of [source, store]) each.tags.set(tag, base.manifest.digest);

    const report = await syncRepository(source, [{ id: 't', store }]);

    expect(report).toEqual({ tags: 10_000, targets: new Map([['t', expect.objectContaining({ unchanged: 10_000 })]]) });
    expect(store.calls).toHaveLength(10_000);
  });
});
