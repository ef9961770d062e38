import { describe, expect, it } from '@jest/globals';
import {
  type BlobRef,
  ContentError,
  type ContentErrorCode,
  type ContentReader,
  type Descriptor,
  descriptorOf,
  type Digest,
  digestOf,
  type Manifest,
  manifestFromBytes,
  mediaType,
  parseTag,
  type PushBlobOptions,
  type ReferrerLister,
  referrersTagOf,
  type Tag,
} from '@waybill/oci-model';
import {
  blobsOf,
  type BuiltArtifact,
  type BuiltContent,
  buildCosignTag,
  buildImage,
  buildIndex,
  buildReferrer,
  buildSignedArtifact,
  expectContained,
  MemoryStore,
  pushArtifact,
  pushBuilt,
} from '@waybill/testing';
import type { Readable } from 'node:stream';
import { copyGraph } from '../copy-graph.js';
import type { CopyOptions } from '../options.js';

const tag = parseTag('1.0.0');
const artifact = buildSignedArtifact();
const root = artifact.root.manifest.digest;
const [sbom, signature, remark, ofPlatform] = artifact.referrers.map(({ manifest }) => manifest.digest) as [Digest, Digest, Digest, Digest];
const [signed] = artifact.cosignTags;
const spdx = 'application/spdx+json';

function failing(code: ContentErrorCode, retryable = false): ContentError {
  return new ContentError('no', { code, operation: 'x', retryable });
}

async function storeWith<Store extends MemoryStore>(content: BuiltArtifact, store: Store): Promise<Store> {
  await pushArtifact(store, content);
  store.calls.length = 0;
  return store;
}

/** Copies to `store` and gives what became of it there. */
async function copiedTo(store: MemoryStore, options: CopyOptions & { readonly source?: MemoryStore; readonly root?: Digest } = {}) {
  const { source = await storeWith(artifact, new MemoryStore()), root: from = root, ...rest } = options;
  const report = await copyGraph(source, from, [{ id: 't', store, tags: [tag] }], { referrers: 'all', retryDelayMs: () => 0, ...rest });
  return report.targets.get('t')!;
}

function outcomesOf(report: Awaited<ReturnType<typeof copiedTo>>): Record<string, string> {
  return Object.fromEntries(report.referrers.map(({ referrer, outcome }) => [referrer, outcome]));
}

function manifestOf(content: object): Manifest {
  return manifestFromBytes(Buffer.from(JSON.stringify({ schemaVersion: 2, ...content })), undefined);
}

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

  describe('that fail', () => {
    class Choosy extends MemoryStore {
      constructor(private readonly refused: Digest) {
        super();
      }

      override async pushManifest(manifest: Manifest, signal?: AbortSignal): Promise<void> {
        if (manifest.digest === this.refused) throw failing('denied');
        await super.pushManifest(manifest, signal);
      }
    }

    it('are reported with what hangs on them, and the rest goes on', async () => {
      const store = new Choosy(sbom);

      const report = await copiedTo(store);

      expect(report.outcome).toBe('copied');
      expect(store.tags.get(tag)).toBe(root);
      expect(report.referrers).toContainEqual(
        expect.objectContaining({
          referrer: sbom,
          outcome: 'failed',
          error: expect.objectContaining({ code: 'target-denied', digest: sbom }),
        }),
      );
      expect(outcomesOf(report)).toMatchObject({ [signature]: 'failed', [remark]: 'failed', [ofPlatform]: 'copied' });
      expect(store.manifests.has(signature)).toBe(false);
    });

    it.each<[string, CopyOptions['referrers']]>([
      ['all are', { required: 'all' }],
      ['their type is', { required: [spdx] }],
      ['they are pinned', { pinned: [sbom] }],
      ['what hangs on them is', { pinned: [remark] }],
    ])('keep the tag from being written when %s required', async (_, referrers) => {
      const store = new Choosy(sbom);
      const other = new MemoryStore();
      const source = await storeWith(artifact, new MemoryStore());

      const report = await copyGraph(
        source,
        root,
        [
          { id: 't', store, tags: [tag] },
          { id: 'other', store: other, tags: [tag] },
        ],
        referrers === undefined ? {} : { referrers },
      );

      expect(report.targets.get('t')).toMatchObject({ outcome: 'failed', error: { code: 'target-denied', digest: sbom } });
      expect(store.tags.has(tag)).toBe(false);
      expect(other.tags.get(tag)).toBe(root);
    });

    it('at a blob leave it to the next one that shares it', async () => {
      const image = buildImage({ seed: 50 });
      const twins = [buildReferrer(image), buildReferrer(image, { annotations: { twin: 'true' } })];
      const source = await storeWith({ root: image, referrers: twins, cosignTags: [] }, new MemoryStore());
      const [, shared] = [...twins[0]!.blobs.keys()];
      let left = 1;
      class Failing extends MemoryStore {
        override async pushBlob(blob: BlobRef, content: Readable, options?: PushBlobOptions): Promise<void> {
          if (blob.digest !== shared || left === 0) return super.pushBlob(blob, content, options);
          left -= 1;
          content.destroy();
          throw failing('denied');
        }
      }

      const report = await copiedTo(new Failing(), { source, root: image.manifest.digest });

      expect(report.outcome).toBe('copied');
      expect(Object.values(outcomesOf(report)).sort()).toEqual(['copied', 'failed']);
    });

    it('because the source lacks them are reported', async () => {
      const source = await storeWith(artifact, new MemoryStore());
      const [, blob] = [...artifact.referrers[1]!.blobs.keys()] as [Digest, Digest];
      source.blobs.delete(blob);

      const report = await copiedTo(new MemoryStore(), { source });

      expect(report.referrers).toContainEqual(
        expect.objectContaining({
          referrer: signature,
          outcome: 'failed',
          error: expect.objectContaining({ code: 'source-missing', side: 'source' }),
        }),
      );
      expect(outcomesOf(report)).toMatchObject({ [sbom]: 'copied', [remark]: 'failed' });
    });

    it('because the list is out of date or made up are reported and not followed', async () => {
      const other = buildImage({ seed: 60 });
      const gone = buildReferrer(artifact.root, { seed: 61 });
      class Stale extends MemoryStore {
        override async *listReferrers(subject: Digest): AsyncIterable<Descriptor> {
          yield* super.listReferrers(subject);
          if (subject === root) yield* [descriptorOf(other.manifest), descriptorOf(gone.manifest)];
        }
      }
      const source = await storeWith(artifact, new Stale());
      await pushBuilt(source, other);
      const store = new MemoryStore();

      const report = await copiedTo(store, { source });

      expect(report.outcome).toBe('copied');
      const codes = new Map(report.referrers.flatMap((each) => ('error' in each ? [[each.referrer, each.error.code]] : [])));
      expect(codes).toEqual(
        new Map([
          [other.manifest.digest, 'source-invalid'],
          [gone.manifest.digest, 'source-missing'],
        ]),
      );
      expect(store.manifests.has(other.manifest.digest)).toBe(false);
    });

    it('by a made-up list elsewhere do not fail where they belong', async () => {
      // Somebody who may write a fallback tag lists a required SBOM under another manifest.
      class Lying extends MemoryStore {
        override async *listReferrers(subject: Digest): AsyncIterable<Descriptor> {
          yield* super.listReferrers(subject);
          if (subject !== root) yield descriptorOf(artifact.referrers[0]!.manifest);
        }
      }
      const source = await storeWith(artifact, new Lying());

      const report = await copiedTo(new MemoryStore(), { source, referrers: { required: [spdx] } });

      expect(report.outcome).toBe('copied');
      expect(report.referrers).toContainEqual(expect.objectContaining({ referrer: sbom, subject: root, outcome: 'copied' }));
    });

    it('are unfinished when their target fails', async () => {
      class Untagged extends MemoryStore {
        override async pushManifest(manifest: Manifest, signal?: AbortSignal): Promise<void> {
          if (manifest.digest === root) throw failing('denied');
          await super.pushManifest(manifest, signal);
        }
      }

      const report = await copiedTo(new Untagged());

      expect(report.outcome).toBe('failed');
      expect(new Set(Object.values(outcomesOf(report)))).toEqual(new Set(['cancelled']));
    });

    it('with a hook fail the target, for a hook is the caller’s own', async () => {
      const store = new MemoryStore();
      const hooks: CopyOptions['hooks'] = {
        beforeManifest: ({ manifest }) => {
          if (manifest.digest === remark) throw new Error('not recorded');
        },
      };

      expect(await copiedTo(store, { hooks })).toMatchObject({ outcome: 'failed', error: { code: 'hook-failed' } });
      expect(store.tags.has(tag)).toBe(false);
    });
  });

  describe('that the source does not tell of', () => {
    class Mute extends MemoryStore {
      constructor(private readonly subject: Digest) {
        super();
      }

      override async *listReferrers(subject: Digest): AsyncIterable<Descriptor> {
        if (subject === this.subject) throw failing('unavailable', true);
        yield* super.listReferrers(subject);
      }
    }
    const arm = artifact.referrers[3]!.subject;

    it('are not taken for none: the report names their subjects', async () => {
      const source = await storeWith(artifact, new Mute(arm));
      const store = new MemoryStore();

      const report = await copyGraph(source, root, [{ id: 't', store, tags: [tag] }], { referrers: 'all', retryDelayMs: () => 0 });

      expect(report.unlisted).toMatchObject([{ subject: arm, error: { code: 'source-unreachable', operation: 'list referrers' } }]);
      expect(report.targets.get('t')).toMatchObject({ outcome: 'copied', referrers: { length: 7 } });
    });

    it('fail the copy when any is required', async () => {
      const source = await storeWith(artifact, new Mute(arm));
      const store = new MemoryStore();

      expect(await copiedTo(store, { source, referrers: { required: [spdx] } })).toMatchObject({
        outcome: 'failed',
        error: { code: 'source-unreachable' },
      });
      expect(store.tags.has(tag)).toBe(false);
    });

    it.each<[string, CopyOptions['referrers']]>([
      ['type', { required: ['application/vnd.example.absent'] }],
      ['digest', { pinned: [digestOf(Buffer.from('absent'))] }],
    ])('fail the copy when one of that %s is required', async (_, referrers) => {
      const store = new MemoryStore();

      const report = await copiedTo(store, referrers === undefined ? {} : { referrers });

      expect(report).toMatchObject({ outcome: 'failed', error: { code: 'source-missing', details: { missing: { length: 1 } } } });
      expect(store.tags.has(tag)).toBe(false);
    });

    it('because it cannot list any fail the copy', async () => {
      const source = await storeWith(artifact, new MemoryStore());
      const reader = {
        readManifest: source.readManifest.bind(source),
        readBlob: source.readBlob.bind(source),
        probeBlob: source.probeBlob.bind(source),
      };

      const report = await copyGraph(reader, root, [{ id: 't', store: new MemoryStore() }], { referrers: 'all' });

      expect(report.targets.get('t')).toMatchObject({ outcome: 'failed', error: { code: 'source-unsupported' } });
    });
  });

  describe('bounds', () => {
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
});

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

describe('copying referrers from a source that', () => {
  const image = buildImage({ seed: 90 });
  const sbomOf = buildReferrer(image, { artifactType: spdx });
  const content = { root: image, referrers: [sbomOf], cosignTags: [buildCosignTag(image)] };
  const from = image.manifest.digest;

  it('has no tags brings those it lists', async () => {
    const source = await storeWith(content, new MemoryStore());
    const lister: ContentReader & ReferrerLister = {
      readManifest: (reference, signal) => source.readManifest(reference, signal),
      readBlob: (blob: BlobRef, signal) => source.readBlob(blob, signal),
      probeBlob: (blob: BlobRef, signal) => source.probeBlob(blob, signal),
      listReferrers: (subject, signal) => source.listReferrers(subject, signal),
    };

    const { targets } = await copyGraph(lister, from, [{ id: 't', store: new MemoryStore() }], { referrers: 'all' });

    expect(targets.get('t')?.referrers).toMatchObject([{ referrer: sbomOf.manifest.digest, outcome: 'copied' }]);
  });

  it('does not tell a repository without tags from none brings those it lists', async () => {
    class Untold extends MemoryStore {
      override async resolveTag(): Promise<Digest | undefined> {
        throw failing('not-found');
      }
    }

    const report = await copiedTo(new MemoryStore(), { source: await storeWith(content, new Untold()), root: from });

    expect(report.referrers).toMatchObject([{ referrer: sbomOf.manifest.digest, outcome: 'copied' }]);
  });

  it('does not answer for tags is not taken to have none', async () => {
    class Silent extends MemoryStore {
      override async resolveTag(): Promise<Digest | undefined> {
        throw failing('unavailable', true);
      }
    }
    const source = await storeWith(content, new Silent());
    const options: CopyOptions = { referrers: 'all', retryDelayMs: () => 0 };

    const report = await copyGraph(source, from, [{ id: 't', store: new MemoryStore() }], options);

    expect(new Set(report.unlisted.map(({ subject }) => subject))).toEqual(new Set([from, sbomOf.manifest.digest]));
    expect(report.targets.get('t')?.referrers).toMatchObject([{ referrer: sbomOf.manifest.digest, outcome: 'copied' }]);
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
