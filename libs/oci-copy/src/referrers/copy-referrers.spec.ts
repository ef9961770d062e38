import { describe, expect, it } from '@jest/globals';
import { type Descriptor, descriptorOf, type Digest, type Manifest, mediaType, referrersTagOf } from '@waybill/oci-model';
import { blobsOf, buildCosignTag, buildImage, buildIndex, buildReferrer, expectContained, MemoryStore, pushBuilt } from '@waybill/testing';
import { copyGraph } from '../copy-graph.js';
import {
  artifact,
  copiedTo,
  manifestOf,
  ofPlatform,
  outcomesOf,
  remark,
  root,
  sbom,
  signature,
  signed,
  spdx,
  storeWith,
  tag,
} from './copying-referrers.spec-helper.js';

describe('copying referrers', () => {
  it('does not happen unless it is asked for', async () => {
    const source = await storeWith(artifact, new MemoryStore());
    const store = new MemoryStore();

    const report = await copiedTo(store, { source, referrers: 'none' });

    expect(report).toMatchObject({ outcome: 'copied', referrers: [] });
    expect([...store.tags.keys()]).toEqual([tag]);
    expect([...source.callsOf('listReferrers'), ...source.callsOf('resolveTag')]).toEqual([]);
  });

  it('brings those of every manifest, theirs in turn, and what cosign attached, to all targets, reading all once', async () => {
    const source = await storeWith(artifact, new MemoryStore());
    const stores = [new MemoryStore(), new MemoryStore()];
    const targets = stores.map((store, index) => ({ id: `t${index}`, store, tags: [tag] }));

    const { targets: reports, unlisted } = await copyGraph(source, root, targets, { referrers: 'all' });

    for (const [index, store] of stores.entries()) {
      await expectContained(source, store, root);
      const { referrers } = reports.get(`t${index}`)!;
      expect(referrers.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 8 }, () => 'copied'));
    }
    expect(unlisted).toEqual([]);
    const reads = source.callsOf('readBlob').filter((digest, index, all) => all.indexOf(digest) === index);
    expect(new Set(reads).size).toBe(reads.length);
  });

  it('reports what each one is, by what it was found, and whether it had to be', async () => {
    const { referrers } = await copiedTo(new MemoryStore(), { referrers: { required: [spdx] } });

    expect(referrers).toContainEqual({
      referrer: sbom,
      subject: root,
      artifactType: spdx,
      tags: [],
      required: true,
      outcome: 'copied',
    });
    expect(referrers).toContainEqual({
      referrer: signed!.content.manifest.digest,
      subject: root,
      artifactType: mediaType.ociConfig,
      tags: [signed!.tag],
      required: false,
      outcome: 'copied',
    });
  });

  it('writes subjects before what refers to them, and our tags after all that', async () => {
    const store = new MemoryStore();

    await copiedTo(store);

    const writes = store.calls.filter(({ method }) => ['pushBlob', 'pushManifest', 'putTag'].includes(method)).map(({ about }) => about);
    for (const { manifest, subject, blobs } of artifact.referrers) {
      expect(writes.indexOf(subject)).toBeLessThan(writes.indexOf(manifest.digest));
      for (const blob of blobs.keys()) expect(writes.indexOf(blob)).toBeLessThan(writes.indexOf(manifest.digest));
    }
    for (const { content, tag: attached, subject } of artifact.cosignTags) {
      expect(writes.indexOf(subject)).toBeLessThan(writes.indexOf(content.manifest.digest));
      expect(writes.indexOf(content.manifest.digest)).toBeLessThan(writes.indexOf(attached));
    }
    expect(writes.at(-1)).toBe(tag);
  });

  it('writes nothing the second time, nor on the way back', async () => {
    const source = await storeWith(artifact, new MemoryStore());
    const store = new MemoryStore();
    await copiedTo(store, { source });
    const wrote = (there: MemoryStore) => there.calls.filter(({ method }) => ['pushBlob', 'pushManifest', 'putTag'].includes(method));
    source.tags.set(tag, root);
    [source, store].forEach((each) => (each.calls.length = 0));

    expect(await copiedTo(store, { source })).toMatchObject({ outcome: 'already-present' });
    const back = await copiedTo(source, { source: store });

    expect(back).toMatchObject({ outcome: 'already-present', blobs: { copied: 0 } });
    expect(new Set(Object.values(outcomesOf(back)))).toEqual(new Set(['already-present']));
    expect([...wrote(source), ...wrote(store)]).toEqual([]);
  });

  it('brings only what was chosen, and what hangs on what was not left behind', async () => {
    const store = new MemoryStore();

    const report = await copiedTo(store, { referrers: { include: [spdx, 'text/spdx+json'] } });

    const attached = artifact.cosignTags[1]!.content.manifest.digest;
    expect(Object.keys(outcomesOf(report)).sort()).toEqual([sbom, ofPlatform, attached].sort());
    expect(store.manifests.has(signature)).toBe(false);
  });

  it('tells hooks of referrers and of the tags that attach them', async () => {
    const told: string[] = [];

    await copiedTo(new MemoryStore(), {
      hooks: {
        beforeManifest: ({ manifest, isRoot }) => void told.push(`manifest ${manifest.digest} ${isRoot}`),
        beforeTag: ({ tag: name }) => void told.push(`tag ${name}`),
      },
    });

    expect(told.filter((line) => line.endsWith('true'))).toEqual([`manifest ${root} true`]);
    expect(told).toContain(`manifest ${remark} false`);
    expect(told).toContain(`tag ${signed!.tag}`);
  });

  it('never writes the tag that stands in for a list of referrers: its store does', async () => {
    const source = await storeWith(artifact, new MemoryStore());
    const index = buildIndex([artifact.referrers[0]!]);
    await source.putTag(referrersTagOf(root), index.manifest);
    const store = new MemoryStore();

    await copiedTo(store, { source });

    expect(store.tags.has(referrersTagOf(root))).toBe(false);
    expect(store.manifests.has(index.manifest.digest)).toBe(false);
  });

  it('brings one once that is listed and attached by tags too', async () => {
    const image = buildImage({ seed: 30 });
    const both = buildReferrer(image);
    const { tag: first } = buildCosignTag(image);
    const { tag: second } = buildCosignTag(image, { suffix: 'sbom' });
    const source = await storeWith({ root: image, referrers: [both], cosignTags: [] }, new MemoryStore());
    for (const each of [first, second]) await source.putTag(each, both.manifest);
    const store = new MemoryStore();

    const report = await copiedTo(store, { source, root: image.manifest.digest });

    expect(report.referrers).toMatchObject([{ referrer: both.manifest.digest, subject: image.manifest.digest, tags: [first, second] }]);
    expect([store.tags.get(first), store.tags.get(second)]).toEqual([both.manifest.digest, both.manifest.digest]);
  });

  it('refuses a reserved tag among those of a target', async () => {
    const targets = [{ id: 't', store: new MemoryStore(), tags: [signed!.tag] }];

    await expect(copyGraph(new MemoryStore(), root, targets)).rejects.toMatchObject({ code: 'arguments-invalid' });
  });

  it('pushes one again that is there and not listed', async () => {
    // A registry without the API, to which something was pushed by a client that writes no fallback tag.
    class Unlisting extends MemoryStore {
      readonly listed = new Set<Digest>();

      override async *listReferrers(subject: Digest): AsyncIterable<Descriptor> {
        for await (const referrer of super.listReferrers(subject)) if (this.listed.has(referrer.digest)) yield referrer;
      }

      override async pushManifest(manifest: Manifest, signal?: AbortSignal): Promise<void> {
        await super.pushManifest(manifest, signal);
        this.listed.add(manifest.digest);
      }
    }
    const store = await storeWith(artifact, new Unlisting());
    store.listed.delete(signature);

    const report = await copiedTo(store);

    expect(store.callsOf('pushManifest')).toEqual([signature]);
    expect(outcomesOf(report)).toMatchObject({ [sbom]: 'already-present', [signature]: 'copied' });
  });

  it('brings an index that refers to something, with its children', async () => {
    const note = buildImage({ seed: 40, layers: 1 });
    const index = buildIndex([note, artifact.root.children[1]!]);
    const referring = manifestOf({
      ...(JSON.parse(Buffer.from(index.manifest.bytes).toString()) as object),
      artifactType: 'application/vnd.example.set',
      subject: descriptorOf(artifact.root.manifest),
    });
    const source = await storeWith(artifact, new MemoryStore());
    const ofNote = buildReferrer(note, { seed: 41 });
    await pushBuilt(source, note);
    await source.pushManifest(referring);
    await pushBuilt(source, ofNote);
    const store = new MemoryStore();

    const report = await copiedTo(store, { source });

    expect(outcomesOf(report)).toMatchObject({ [referring.digest]: 'copied', [ofNote.manifest.digest]: 'copied' });
    await expectContained(source, store, root);
  });
});

describe('copying referrers of what has none', () => {
  it('costs one question for each manifest and kind', async () => {
    const image = buildImage();
    const source = new MemoryStore();
    await pushBuilt(source, image);
    source.calls.length = 0;
    const store = new MemoryStore();

    const report = await copiedTo(store, { source, root: image.manifest.digest });

    expect(report.referrers).toEqual([]);
    expect(source.callsOf('listReferrers')).toEqual([image.manifest.digest]);
    expect(source.callsOf('resolveTag')).toHaveLength(3);
    expect([...blobsOf(image).keys()].sort()).toEqual([...store.blobs.keys()].sort());
  });
});
