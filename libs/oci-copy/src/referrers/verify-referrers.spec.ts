import { describe, expect, it } from '@jest/globals';
import {
  type BlobRef,
  ContentError,
  type ContentReader,
  type Descriptor,
  type Digest,
  type Manifest,
  parseTag,
  referrersTagOf,
  type Tag,
} from '@waybill/oci-model';
import { buildIndex, buildSignedArtifact, MemoryStore, pushArtifact } from '@waybill/testing';
import { copyGraph } from '../copy-graph.js';
import { findReferrers } from '../find-referrers.js';
import { verifyGraph } from '../verify-graph.js';

const artifact = buildSignedArtifact();
const root = artifact.root.manifest.digest;
const [sbom, signature] = artifact.referrers.map(({ manifest }) => manifest.digest) as [Digest, Digest];
const [signed] = artifact.cosignTags;

async function filled<Store extends MemoryStore>(store: Store): Promise<Store> {
  await pushArtifact(store, artifact);
  store.calls.length = 0;
  return store;
}

async function expected() {
  return (await findReferrers(await filled(new MemoryStore()), root)).referrers;
}

describe('verifyGraph with referrers', () => {
  it('finds the source’s contained in the target’s after a copy, and asks for nothing that the copy has proven', async () => {
    const source = await filled(new MemoryStore());
    const store = new MemoryStore();
    const report = await copyGraph(source, root, [{ id: 't', store, tags: [parseTag('1.0.0')] }], { referrers: 'all' });
    const { referrers, presentBlobs } = report.targets.get('t')!;
    store.calls.length = 0;

    const verified = await verifyGraph(store, root, { referrers, presentBlobs });

    expect(verified).toMatchObject({ manifests: 13, blobs: store.blobs.size });
    expect(store.callsOf('probeBlob')).toEqual([]);
    expect(new Set(store.callsOf('readManifest')).size).toBe(store.callsOf('readManifest').length);
  });

  it('does not mind what the store has besides', async () => {
    const store = await filled(new MemoryStore());
    await pushArtifact(store, buildSignedArtifact({ seed: 7 }));

    await expect(verifyGraph(store, root, { referrers: await expected() })).resolves.toMatchObject({ manifests: 13 });
  });

  const damages: readonly [string, (store: MemoryStore) => void, object][] = [
    ['its manifest is gone', (store) => store.manifests.delete(signature), { manifests: [signature], blobs: [] }],
    [
      'a blob of it is gone',
      (store) => store.blobs.delete([...artifact.referrers[1]!.blobs.keys()][1]!),
      { manifests: [], blobs: [[...artifact.referrers[1]!.blobs.keys()][1]!] },
    ],
    ['its tag is gone', (store) => store.tags.delete(signed!.tag), { manifests: [], referrers: [signed!.content.manifest.digest] }],
    ['its tag names another', (store) => store.tags.set(signed!.tag, root), { referrers: [signed!.content.manifest.digest] }],
  ];
  it.each(damages)('says so when %s', async (_, damage, details) => {
    const store = await filled(new MemoryStore());
    damage(store);

    await expect(verifyGraph(store, root, { referrers: await expected() })).rejects.toMatchObject({ code: 'target-incomplete', details });
  });

  it('says so when one is there and not listed', async () => {
    class Unlisting extends MemoryStore {
      override async *listReferrers(subject: Digest): AsyncIterable<Descriptor> {
        for await (const referrer of super.listReferrers(subject)) if (referrer.digest !== sbom) yield referrer;
      }
    }
    const store = await filled(new Unlisting());

    await expect(verifyGraph(store, root, { referrers: await expected(), target: 'prod' })).rejects.toMatchObject({
      code: 'target-incomplete',
      details: { manifests: [], blobs: [], referrers: [sbom] },
      message: `target "prod" lacks 0 manifests and 0 blobs beneath ${root} and names 1 referrers nowhere: ${sbom}`,
    });
  });

  it('reads several at a time, as many as it may, and each manifest once', async () => {
    class Counting extends MemoryStore {
      most = 0;
      #underWay = 0;

      override async readManifest(reference: Digest | Tag, signal?: AbortSignal): Promise<Manifest> {
        this.#underWay += 1;
        this.most = Math.max(this.most, this.#underWay);
        try {
          return await super.readManifest(reference, signal);
        } finally {
          this.#underWay -= 1;
        }
      }
    }
    const store = await filled(new Counting());

    const referrers = await expected();
    await verifyGraph(store, root, { referrers: [...referrers, ...referrers], manifestsInParallel: 3 });

    expect(store.most).toBe(3);
    const reads = store.callsOf('readManifest');
    expect([reads.length, new Set(reads).size]).toEqual([13, 13]);
  });

  it('does not take trouble for absence', async () => {
    class Mute extends MemoryStore {
      override listReferrers(): AsyncIterable<Descriptor> {
        throw new ContentError('no', { code: 'unavailable', operation: 'x', retryable: true });
      }
    }
    const store = await filled(new Mute());

    await expect(verifyGraph(store, root, { referrers: await expected() })).rejects.toMatchObject({ code: 'target-unreachable' });
  });

  it('asks a store without lists and tags for content alone', async () => {
    const store = await filled(new MemoryStore());
    const reader: ContentReader = {
      readManifest: (reference, signal) => store.readManifest(reference, signal),
      readBlob: (blob: BlobRef, signal) => store.readBlob(blob, signal),
      probeBlob: (blob: BlobRef, signal) => store.probeBlob(blob, signal),
    };

    await expect(verifyGraph(reader, root, { referrers: await expected() })).resolves.toMatchObject({ manifests: 13 });
  });
});

describe('findReferrers', () => {
  it('names what a copy would bring, subjects first', async () => {
    const { referrers, unlisted } = await findReferrers(await filled(new MemoryStore()), root);

    const digests = referrers.map(({ referrer }) => referrer);
    expect(digests).toHaveLength(8);
    expect(digests.indexOf(sbom)).toBeLessThan(digests.indexOf(signature));
    expect(referrers[digests.indexOf(signed!.content.manifest.digest)]).toMatchObject({
      subject: root,
      tags: [signed!.tag],
      required: false,
    });
    expect(unlisted).toEqual([]);
  });

  it('keeps to what is chosen', async () => {
    const { referrers } = await findReferrers(await filled(new MemoryStore()), root, { referrers: { include: ['application/spdx+json'] } });

    expect(referrers.map(({ artifactType }) => artifactType)).toEqual(['application/spdx+json', 'application/spdx+json']);
  });

  it('takes the referrers tag for no referrer', async () => {
    const source = await filled(new MemoryStore());
    await source.putTag(referrersTagOf(root), buildIndex([artifact.referrers[0]!]).manifest);

    expect((await findReferrers(source, root)).referrers).toHaveLength(8);
  });

  it.each([
    ['a source without the root', new MemoryStore(), {}, 'source-missing'],
    ['a bound of nothing', new MemoryStore(), { maxReferrers: 0 }, 'arguments-invalid'],
    ['a signal that came before', new MemoryStore(), { signal: AbortSignal.abort() }, 'aborted'],
  ])('rejects with %s', async (_, source, options, code) => {
    await expect(findReferrers(source, root, options)).rejects.toMatchObject({ code });
  });
});
