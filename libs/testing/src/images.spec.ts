import { describe, expect, it } from '@jest/globals';
import { childrenOf, digestOf, mediaType, viewManifest } from '@waybill/oci-model';
import { blobsOf, buildImage, buildIndex, manifestsOf, randomBytes, streamOf } from './images.js';

describe('images in memory', () => {
  it('are the same for the same seed and others for another', () => {
    expect(buildImage({ seed: 7 }).manifest.digest).toBe(buildImage({ seed: 7 }).manifest.digest);
    expect(buildImage({ seed: 7 }).manifest.digest).not.toBe(buildImage({ seed: 8 }).manifest.digest);
  });

  it.each(['oci', 'docker'] as const)('hold every blob that their %s manifest names, under its digest', (mediaTypes) => {
    const image = buildImage({ layers: 3, layerBytes: 5000, mediaTypes });

    const named = childrenOf(image.manifest).blobs;

    expect(named.map((blob) => [blob.digest, blob.size])).toEqual(
      [...image.blobs.values()].map((bytes) => [digestOf(bytes), bytes.byteLength]),
    );
    expect(named).toHaveLength(4);
    expect(image.layers.every((layer) => layer.size > 5000)).toBe(true);
  });

  it('share the layers of their base', () => {
    const base = buildImage({ seed: 1 });

    const image = buildImage({ seed: 2, layers: 1, base });

    expect(image.layers.slice(0, 2)).toEqual(base.layers);
    expect(image.layers).toHaveLength(3);
    expect(blobsOf(image).size).toBe(4);
  });

  it('list the manifests of a nested index children first, each once', () => {
    const amd64 = buildImage({ seed: 1 });
    const inner = buildIndex([amd64, buildImage({ seed: 2, platform: { os: 'linux', architecture: 'arm64' } })]);

    const outer = buildIndex([inner, amd64]);

    expect(manifestsOf(outer).map((manifest) => manifest.mediaType)).toEqual([
      mediaType.ociManifest,
      mediaType.ociManifest,
      mediaType.ociIndex,
      mediaType.ociIndex,
    ]);
    expect(viewManifest(inner.manifest)).toMatchObject({ kind: 'index', manifests: [{ platform: { architecture: 'amd64' } }, {}] });
  });

  it('stream in chunks that add up', async () => {
    const bytes = randomBytes(200_000, 'chunks');

    const chunks = await streamOf(bytes).toArray();

    expect(chunks).toHaveLength(4);
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
  });
});
