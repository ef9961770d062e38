import { describe, expect, it } from '@jest/globals';
import { descriptorOf, mediaType, viewManifest } from '@waybill/oci-model';
import { buildCosignTag, buildReferrer, buildSignedArtifact, pushArtifact } from './artifacts.js';
import { differencesBeneath, expectContained, heldGraph } from './expect-contained.js';
import { buildImage, manifestsOf } from './images.js';
import { MemoryStore } from './memory-store.js';

const artifact = buildSignedArtifact();

async function filled(): Promise<MemoryStore> {
  const store = new MemoryStore();
  await pushArtifact(store, artifact);
  return store;
}

describe('buildReferrer', () => {
  it('names its subject and its type, and has the empty config', () => {
    const image = buildImage();

    const referrer = buildReferrer(image, { artifactType: 'application/spdx+json' });

    expect(viewManifest(referrer.manifest)).toMatchObject({
      artifactType: 'application/spdx+json',
      config: { mediaType: mediaType.ociEmpty, size: 2 },
      subject: descriptorOf(image.manifest),
    });
    expect(buildReferrer(image, { seed: 2 }).manifest.digest).not.toBe(buildReferrer(image, { seed: 1 }).manifest.digest);
  });
});

describe('buildCosignTag', () => {
  it('has a tag that is made of its subject, and one layer for each signature', () => {
    const image = buildImage();

    const one = buildCosignTag(image, { seeds: [1] });
    const both = buildCosignTag(image, { seeds: [1, 2] });

    expect(one.tag).toBe(`${image.manifest.digest.replace(':', '-')}.sig`);
    expect(viewManifest(one.content.manifest).subject).toBeUndefined();
    expect([...both.content.blobs.keys()]).toEqual(expect.arrayContaining([...one.content.blobs.keys()].slice(1)));
  });
});

describe('a signed artifact', () => {
  it('is found whole by a walk from its root', async () => {
    const held = await heldGraph(await filled(), artifact.root.manifest.digest);

    const contents = [artifact.root, ...artifact.referrers, ...artifact.cosignTags.map(({ content }) => content)];
    expect([...held.manifests.keys()].sort()).toEqual([...new Set(contents.flatMap(manifestsOf).map(({ digest }) => digest))].sort());
    expect([...held.tags.keys()].sort()).toEqual(artifact.cosignTags.map(({ tag }) => tag).sort());
  });

  it('is contained in another store that holds it and more', async () => {
    const target = await filled();
    await pushArtifact(target, buildSignedArtifact({ seed: 5 }));

    await expectContained(await filled(), target, artifact.root.manifest.digest);
  });

  it('is not contained where anything of it is missing or other', async () => {
    const [source, target] = [await filled(), await filled()];
    const [sbom, signature] = artifact.referrers;
    const [signed] = artifact.cosignTags;
    target.manifests.delete(signature!.manifest.digest);
    const [lost] = [...artifact.root.children[1]!.blobs.keys()];
    target.blobs.delete(lost!);
    target.tags.delete(signed!.tag);

    expect((await differencesBeneath(source, target, artifact.root.manifest.digest)).sort()).toEqual(
      [
        `manifest ${signature!.manifest.digest} is missing`,
        `blob ${lost} is missing`,
        `${signature!.manifest.digest} is not listed as a referrer of ${sbom!.manifest.digest}`,
        `tag ${signed!.tag} names nothing instead of ${signed!.content.manifest.digest}`,
      ].sort(),
    );
  });
});
