import { describe, expect, it } from '@jest/globals';
import { type Digest, type Manifest, parseTag, type Tag } from '@waybill/oci-model';
import { MemoryRegistry, MemoryStore, pushBuilt } from '@waybill/testing';
import type { SyncOptions } from './sync-options.js';
import { syncRepository } from './sync-repository.js';
import { apps, base, failing, storeWith, synced, tagged, writesOf } from './syncing.spec-helper.js';

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
