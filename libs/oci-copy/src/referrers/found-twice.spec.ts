import { describe, expect, it } from '@jest/globals';
import { type Descriptor, type Digest, type Manifest, parseTag } from '@waybill/oci-model';
import { buildCosignTag, buildImage, buildReferrer, MemoryStore, pushBuilt } from '@waybill/testing';
import { copyGraph } from '../copy-graph.js';
import { findReferrers } from '../find-referrers.js';

const image = buildImage({ seed: 1, layers: 1 });
const root = image.manifest.digest;
const sbom = buildReferrer(image, { artifactType: 'application/spdx+json' });
const note = buildReferrer(sbom, { seed: 4 });
/** It refers to the note, which is found after it: a tag of cosign's hangs it on the image as well. */
const review = buildReferrer(note, { seed: 2 });
const ofReview = buildReferrer(review, { seed: 3 });
const { tag } = buildCosignTag(image);
const digests = [sbom, note, review, ofReview].map(({ manifest }) => manifest.digest);

async function source(): Promise<MemoryStore> {
  const store = new MemoryStore();
  for (const built of [image, sbom, note, review, ofReview]) await pushBuilt(store, built);
  await store.putTag(tag, review.manifest);
  return store;
}

/** Keeps no list by itself: it lists what is pushed to it, and not what was there before. */
class Forgetful extends MemoryStore {
  readonly #listed = new Set<Digest>();

  override async *listReferrers(subject: Digest): AsyncIterable<Descriptor> {
    for await (const referrer of super.listReferrers(subject)) if (this.#listed.has(referrer.digest)) yield referrer;
  }

  override async pushManifest(manifest: Manifest, signal?: AbortSignal): Promise<void> {
    await super.pushManifest(manifest, signal);
    this.#listed.add(manifest.digest);
  }

  forget(digest: Digest): void {
    this.#listed.delete(digest);
  }
}

describe('a referrer that a tag has found before the list of its subject', () => {
  it('is told of by its subject, after it and before what refers to itself', async () => {
    const { referrers } = await findReferrers(await source(), root);

    expect(referrers.map(({ referrer, subject }) => [referrer, subject])).toEqual([
      [digests[0], root],
      [digests[1], digests[0]],
      [digests[2], digests[1]],
      [digests[3], digests[2]],
    ]);
    expect(referrers[2]).toMatchObject({ tags: [tag] });
  });

  it('is listed at the target, where it was and nobody had listed it', async () => {
    const store = new Forgetful();
    for (const built of [image, sbom, note, review, ofReview]) await pushBuilt(store, built);
    store.tags.set(tag, review.manifest.digest);
    store.forget(review.manifest.digest);

    await copyGraph(await source(), root, [{ id: 'prod', store, tags: [parseTag('1.0.0')] }], { referrers: 'all' });

    expect(await listedBy(store, note.manifest.digest)).toEqual([review.manifest.digest]);
  });

  it('does not arrive without its subject', async () => {
    class Choosy extends MemoryStore {
      override async pushManifest(manifest: Manifest, signal?: AbortSignal): Promise<void> {
        if (manifest.digest === note.manifest.digest) throw new Error('not this one');
        await super.pushManifest(manifest, signal);
      }
    }
    const store = new Choosy();

    const report = await copyGraph(await source(), root, [{ id: 'prod', store }], { referrers: 'all' });

    expect(report.targets.get('prod')?.referrers.map(({ outcome }) => outcome)).toEqual(['copied', 'failed', 'failed', 'failed']);
    expect([store.tags.has(tag), store.manifests.has(review.manifest.digest)]).toEqual([false, false]);
  });
});

async function listedBy(store: MemoryStore, subject: Digest): Promise<Digest[]> {
  const listed: Digest[] = [];
  for await (const { digest } of store.listReferrers(subject)) listed.push(digest);
  return listed;
}
