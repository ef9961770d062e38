import { describe, expect, it } from '@jest/globals';
import { type Descriptor, digestOf, isReservedTag, mediaType, parseTag, type Tag } from '@waybill/oci-model';
import { buildCosignTag, buildImage, buildReferrer, MemoryStore, memoryStoreWith, pushBuilt } from '@waybill/testing';
import { copyGraph } from '../copy-graph.js';
import { settingsOf } from '../options.js';
import { verifyGraph } from '../verify-graph.js';
import { CosignTags } from './cosign-tags.js';
import { ReferrerLists } from './referrer-lists.js';

const image = buildImage({ seed: 1, layers: 1 });
const sbom = buildReferrer(image);
const { tag: cosignTag, content } = buildCosignTag(image);
const root = image.manifest.digest;

/** Lists one thing after another for as long as it is read. */
class Endless extends MemoryStore {
  listed = 0;

  override async *listReferrers(): AsyncIterable<Descriptor> {
    for (; ; this.listed += 1) {
      yield { mediaType: mediaType.ociManifest, digest: digestOf(Buffer.from(`${this.listed}`)), size: this.listed };
    }
  }

  override async *listTags(): AsyncIterable<Tag> {
    for (; ; this.listed += 1) yield parseTag(`v${this.listed}`);
  }
}

describe('a list of a target’s referrers', () => {
  const asked = (store: MemoryStore, most: number) =>
    new ReferrerLists(store, most, (_subject, call) => call(new AbortController().signal));

  it.each([
    [2, true],
    [1, 'graph-too-large'],
  ])('may have no more than %d entries', async (most, expected) => {
    const store = await memoryStoreWith(image);
    for (const seed of [1, 2]) await pushBuilt(store, buildReferrer(image, { seed }));

    const answer = asked(store, most).names(sbom.manifest.digest, root);

    await (expected === true ? expect(answer).resolves.toBe(true) : expect(answer).rejects.toMatchObject({ code: expected }));
  });

  it('that has no end fails the referrer, not the copy', async () => {
    const source = await memoryStoreWith(image);
    await pushBuilt(source, sbom);
    const store = new Endless();
    await pushBuilt(store, sbom);

    const report = await copyGraph(source, root, [{ id: 'prod', store }], { referrers: 'all', maxDescriptors: 50 });

    expect(report.targets.get('prod')).toMatchObject({ outcome: 'copied', referrers: [{ error: { code: 'graph-too-large' } }] });
    expect(store.listed).toBe(50);
  });

  it('that has no end ends a verification', async () => {
    const store = await memoryStoreWith(image, new Endless());
    await pushBuilt(store, sbom);
    const referrers = [{ referrer: sbom.manifest.digest, subject: root, tags: [] }];

    await expect(verifyGraph(store, root, { referrers, maxDescriptors: 50 })).rejects.toMatchObject({ code: 'graph-too-large' });
  });
});

describe('the search for cosign’s tags', () => {
  const settings = settingsOf({});
  const context = { settings, signal: settings.signal, retries: 0 };
  const many = 9;

  it('asks for single tags where a list of all is too long', async () => {
    const store = new Endless();
    await memoryStoreWith(image, store);
    await pushBuilt(store, content);
    store.tags.set(cosignTag, content.manifest.digest);
    const search = new CosignTags(store, context, undefined, 30);

    await search.prepare(many);

    expect(await search.of(root, settings.signal)).toEqual([{ tag: cosignTag, digest: content.manifest.digest }]);
    expect(store.listed).toBe(30);
  });

  it('asks for what was listed alone where the list is whole', async () => {
    const store = new MemoryStore();
    for (let index = 0; index < 30; index += 1) store.tags.set(parseTag(`v${index}`), root);
    const search = new CosignTags(store, context, undefined, 30);

    await search.prepare(many);

    expect(await search.of(root, settings.signal)).toEqual([]);
    expect(store.callsOf('resolveTag').filter((tag) => isReservedTag(parseTag(tag)))).toEqual([]);
  });

  it('keeps what somebody else has listed', async () => {
    const store = new MemoryStore();
    const search = new CosignTags(store, context, new Set<Tag>());

    await search.prepare(many);

    expect(await search.of(root, settings.signal)).toEqual([]);
    expect(store.calls).toEqual([]);
  });
});
