import { describe, expect, it } from '@jest/globals';
import type { Digest, Manifest, Tag } from '@waybill/oci-model';
import { buildCosignTag, buildImage, buildIndex, type BuiltContent, MemoryStore, pushBuilt } from '@waybill/testing';
import type { CopyOptions } from '../options.js';
import { copiedTo, failing, storeWith, tag } from './copying-referrers.spec-helper.js';

describe('copying cosign’s tags', () => {
  const image = buildImage({ seed: 80 });
  const ours = buildCosignTag(image, { seeds: [1, 2] });
  const less = buildCosignTag(image, { seeds: [2] });
  const more = buildCosignTag(image, { seeds: [1, 2, 3] });
  const apart = buildCosignTag(image, { seeds: [4] });

  async function attached(before: BuiltContent | undefined, referrers: CopyOptions['referrers'] = 'all') {
    const source = await storeWith({ root: image, referrers: [], cosignTags: [ours] }, new MemoryStore());
    const store = new MemoryStore();
    if (before !== undefined) {
      await pushBuilt(store, before);
      store.tags.set(ours.tag, before.manifest.digest);
    }
    const report = await copiedTo(store, { source, root: image.manifest.digest, referrers });
    return { report, store };
  }

  it.each<[string, BuiltContent | undefined]>([
    ['is absent', undefined],
    ['names fewer of the same signatures', less.content],
    ['names nothing that has layers', buildImage({ seed: 81, layers: 0 })],
  ])('writes a tag that %s', async (_, before) => {
    const { report, store } = await attached(before);

    expect(report).toMatchObject({ outcome: 'copied', referrers: [{ outcome: 'copied', tags: [ours.tag] }] });
    expect(store.tags.get(ours.tag)).toBe(ours.content.manifest.digest);
  });

  it.each<[string, BuiltContent]>([
    ['other signatures', apart.content],
    ['more signatures', more.content],
    ['an index', buildIndex([image])],
    ['an index of nothing', buildIndex([])],
  ])('leaves a tag alone that names %s, and says so', async (_, before) => {
    const { report, store } = await attached(before);

    expect(report).toMatchObject({
      outcome: 'copied',
      referrers: [{ outcome: 'conflict', error: { code: 'target-conflict', details: { tag: ours.tag, current: before.manifest.digest } } }],
    });
    expect(store.tags.get(ours.tag)).toBe(before.manifest.digest);
    expect(store.tags.get(tag)).toBe(image.manifest.digest);
    expect(store.manifests.has(ours.content.manifest.digest)).toBe(false);
  });

  it('fails the target when what the tag attaches is required', async () => {
    const { report, store } = await attached(apart.content, { required: 'all' });

    expect(report).toMatchObject({ outcome: 'failed', error: { code: 'target-conflict' }, referrers: [{ outcome: 'conflict' }] });
    expect(store.tags.has(tag)).toBe(false);
  });

  it('moves a tag whose manifest is gone, and does not judge one that it cannot understand', async () => {
    const source = await storeWith({ root: image, referrers: [], cosignTags: [ours] }, new MemoryStore());
    class Mangling extends MemoryStore {
      override async readManifest(reference: Digest | Tag, signal?: AbortSignal): Promise<Manifest> {
        if (reference === apart.content.manifest.digest) throw failing('manifest-invalid');
        return super.readManifest(reference, signal);
      }
    }
    const [dangling, mangling] = [new MemoryStore(), new Mangling()];
    for (const store of [dangling, mangling]) store.tags.set(ours.tag, apart.content.manifest.digest);

    const options = { source, root: image.manifest.digest };
    expect(await copiedTo(dangling, options)).toMatchObject({ referrers: [{ outcome: 'copied' }] });
    expect(await copiedTo(mangling, options)).toMatchObject({ referrers: [{ outcome: 'conflict' }] });
  });

  it('does not take trouble for a conflict', async () => {
    class Wavering extends MemoryStore {
      override async readManifest(reference: Digest | Tag, signal?: AbortSignal): Promise<Manifest> {
        if (reference === less.content.manifest.digest) throw failing('unavailable', true);
        return super.readManifest(reference, signal);
      }
    }
    const source = await storeWith({ root: image, referrers: [], cosignTags: [ours] }, new MemoryStore());
    const store = new Wavering();
    store.tags.set(ours.tag, less.content.manifest.digest);

    expect(await copiedTo(store, { source, root: image.manifest.digest })).toMatchObject({
      referrers: [{ outcome: 'failed', error: { code: 'target-unreachable', retryable: true } }],
    });
  });

  it('asks for three tags of each of a few manifests, and lists all tags when they are many', async () => {
    const many = buildIndex(Array.from({ length: 9 }, (_, seed) => buildImage({ seed })));
    const [few, lots] = [await storeWith({ root: image, referrers: [], cosignTags: [ours] }, new MemoryStore()), new MemoryStore()];
    await pushBuilt(lots, many);
    lots.calls.length = 0;

    await copiedTo(new MemoryStore(), { source: few, root: image.manifest.digest });
    await copiedTo(new MemoryStore(), { source: lots, root: many.manifest.digest });

    expect(few.callsOf('resolveTag')).toHaveLength(6);
    expect(lots.callsOf('resolveTag')).toEqual([]);
  });

  it('asks for each tag where they cannot be listed', async () => {
    class Unlisting extends MemoryStore {
      override listTags(): AsyncIterable<Tag> {
        throw failing('unsupported');
      }
    }
    const children = Array.from({ length: 9 }, (_, seed) => buildImage({ seed }));
    const signedChild = buildCosignTag(children[4]!);
    const source = await storeWith({ root: buildIndex(children), referrers: [], cosignTags: [signedChild] }, new Unlisting());
    const store = new MemoryStore();

    await copiedTo(store, { source, root: buildIndex(children).manifest.digest });

    expect(store.tags.get(signedChild.tag)).toBe(signedChild.content.manifest.digest);
  });
});
