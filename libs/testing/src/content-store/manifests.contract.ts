import { childrenOf, ContentError, type ContentStore, type Digest, digestOf, mediaType, type Tag } from '@waybill/oci-model';
import { buildReferrer } from '../artifacts.js';
import { blobsOf, buildImage, buildIndex, type BuiltContent, manifestsOf, pushBuilt, streamOf } from '../images.js';
import { jestGlobals } from '../jest-globals.js';
import type { ContentStoreFeatures, Fixtures } from './fixture.js';
import { codeOf, readWhole, refOf } from './reading.js';

const absent = digestOf(Buffer.from('never pushed'));

export function describeManifests(fixtures: Fixtures, features: ContentStoreFeatures): void {
  const { describe, expect, it } = jestGlobals();

  describe('manifests', () => {
    const amd64 = buildImage({ seed: 1 });
    const arm64 = buildImage({ seed: 2, platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } });
    const index = buildIndex([amd64, arm64]);
    const whole: readonly (readonly [string, BuiltContent])[] = [
      ['an OCI image', amd64],
      ['a Docker image', buildImage({ mediaTypes: 'docker' })],
      ['an image without layers', buildImage({ layers: 0 })],
      ['an OCI index', index],
      ['a Docker manifest list', buildIndex([buildImage({ mediaTypes: 'docker' })], { mediaTypes: 'docker' })],
      ['an index within an index', buildIndex([index, buildImage({ seed: 3 })])],
      ['an empty index', buildIndex([])],
      ['an index of no more than an empty index', buildIndex([buildIndex([])])],
      ['an image in both formats', buildIndex([amd64, buildImage({ mediaTypes: 'docker' })])],
      ['an image with layers in zstd', buildImage({ compression: 'zstd' })],
      ['an artifact with an empty config', buildReferrer(amd64, { annotations: { 'org.example.key': 'value' } })],
    ];

    for (const [title, built] of whole) {
      it(`keeps ${title} whole, byte for byte`, async () => {
        const store = await fixtures.store();

        await pushBuilt(store, built);

        expect(await manifestsIn(store, built)).toEqual(manifestsOf(built).map(comparable));
        for (const [digest, bytes] of blobsOf(built)) {
          expect((await readWhole(store, refOf(digest, bytes))).equals(bytes)).toBe(true);
        }
      });
    }

    it('keeps bytes that a serialiser would write otherwise', async () => {
      const store = await fixtures.store();
      const image = buildImage();
      await pushBuilt(store, image);
      const bytes = Buffer.from(`\n${JSON.stringify(JSON.parse(Buffer.from(image.manifest.bytes).toString('utf8')), null, 7)}\n `);
      const odd = { bytes, digest: digestOf(bytes), mediaType: image.manifest.mediaType };

      await store.pushManifest(odd);

      expect(comparable(await store.readManifest(odd.digest))).toEqual(comparable(odd));
    });

    it('takes the same manifest twice', async () => {
      const store = await fixtures.store();
      await pushBuilt(store, amd64);

      await store.pushManifest(amd64.manifest);

      expect((await store.readManifest(amd64.manifest.digest)).digest).toBe(amd64.manifest.digest);
    });

    it('says not-found for a digest and a tag that are not there', async () => {
      const store = await fixtures.store();
      await pushBuilt(store, amd64);

      expect(await codeOf(store.readManifest(absent))).toBe('not-found');
      expect(await codeOf(store.readManifest('no-such-tag' as Tag))).toBe('not-found');
    });

    it('says not-found in a repository that nothing was ever pushed to', async () => {
      const store = await fixtures.store();

      expect(await codeOf(store.readManifest(absent))).toBe('not-found');
    });

    if (features.refusesIncompleteManifests ?? true) {
      it('refuses an image whose blobs are missing, with blob-unknown', async () => {
        const store = await fixtures.store();

        expect(await codeOf(store.pushManifest(amd64.manifest))).toBe('blob-unknown');
        expect(await codeOf(store.readManifest(amd64.manifest.digest))).toBe('not-found');
      });

      it('refuses an image that lacks one layer, with blob-unknown', async () => {
        const store = await fixtures.store();
        const [missing] = amd64.layers;
        for (const [digest, bytes] of amd64.blobs) {
          if (digest !== missing?.digest) await store.pushBlob(refOf(digest, bytes), streamOf(bytes));
        }

        expect(await codeOf(store.pushManifest(amd64.manifest))).toBe('blob-unknown');
      });

      it('refuses an index that lacks a child, with blob-unknown', async () => {
        const store = await fixtures.store();
        await pushBuilt(store, amd64);

        expect(await codeOf(store.pushManifest(index.manifest))).toBe('blob-unknown');
      });
    }

    if (features.corrupts ?? false) {
      it('gives no manifest whose stored bytes changed', async () => {
        const { store, corrupt } = await fixtures.make();
        await pushBuilt(store, amd64);

        await corrupt?.(amd64.manifest.digest);

        await expect(store.readManifest(amd64.manifest.digest)).rejects.toBeInstanceOf(ContentError);
      });
    }

    it('tells an index from an image after reading it back', async () => {
      const store = await fixtures.store();
      await pushBuilt(store, index);

      const read = await store.readManifest(index.manifest.digest);

      expect(read.mediaType).toBe(mediaType.ociIndex);
      expect(childrenOf(read).manifests.map((child) => child.digest)).toEqual([amd64.manifest.digest, arm64.manifest.digest]);
    });
  });
}

async function manifestsIn(store: ContentStore, built: BuiltContent): Promise<object[]> {
  const read: object[] = [];
  for (const { digest } of manifestsOf(built)) read.push(comparable(await store.readManifest(digest)));
  return read;
}

function comparable(manifest: { readonly bytes: Uint8Array; readonly digest: Digest; readonly mediaType: string }): object {
  return { ...manifest, bytes: Buffer.from(manifest.bytes).toString('utf8') };
}
