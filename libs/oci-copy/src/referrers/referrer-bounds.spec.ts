import { describe, expect, it } from '@jest/globals';
import { type Descriptor, digestOf, mediaType } from '@waybill/oci-model';
import { buildCosignTag, buildImage, MemoryStore } from '@waybill/testing';
import { artifact, copiedTo, outcomesOf, storeWith, tag } from './copying-referrers.spec-helper.js';

describe('the bounds of referrers', () => {
  it('ends with more referrers than allowed', async () => {
    expect(await copiedTo(new MemoryStore(), { maxReferrers: 8 })).toMatchObject({ outcome: 'copied' });
    expect(await copiedTo(new MemoryStore(), { maxReferrers: 7 })).toMatchObject({
      outcome: 'failed',
      error: { code: 'graph-too-large', side: 'engine' },
    });
  });

  it('counts their manifests with those of the graph', async () => {
    expect(await copiedTo(new MemoryStore(), { maxManifests: 13 })).toMatchObject({ outcome: 'copied' });
    expect(await copiedTo(new MemoryStore(), { maxManifests: 12 })).toMatchObject({ error: { code: 'graph-too-large' } });
  });

  it('ends a list without an end', async () => {
    class Endless extends MemoryStore {
      override async *listReferrers(): AsyncIterable<Descriptor> {
        for (let n = 0; ; n += 1) yield { mediaType: mediaType.ociManifest, digest: digestOf(Buffer.from(`${n}`)), size: n };
      }
    }
    const source = await storeWith(artifact, new Endless());

    expect(await copiedTo(new MemoryStore(), { source, maxDescriptors: 100 })).toMatchObject({ error: { code: 'graph-too-large' } });
  });

  it('comes to an end when tags of cosign’s lead in a circle', async () => {
    const image = buildImage({ seed: 70 });
    const one = buildCosignTag(image);
    const two = buildCosignTag(one.content);
    const source = await storeWith({ root: image, referrers: [], cosignTags: [one, two] }, new MemoryStore());
    // The signature of the second names the first, and that of another attestation the image itself.
    const back = buildCosignTag(two.content).tag;
    const home = buildCosignTag(two.content, { suffix: 'att' }).tag;
    source.tags.set(back, one.content.manifest.digest);
    source.tags.set(home, image.manifest.digest);
    const store = new MemoryStore();

    const report = await copiedTo(store, { source, root: image.manifest.digest });

    expect(new Set(Object.values(outcomesOf(report)))).toEqual(new Set(['copied']));
    expect(new Map([...store.tags].filter(([name]) => name !== tag))).toEqual(source.tags);
  });
});
