import { describe, expect, it } from '@jest/globals';
import { type Digest, digestOf, type Manifest, manifestFromBytes, mediaType } from '@waybill/oci-model';
import { type BuiltContent, buildImage, buildIndex, manifestsOf } from '@waybill/testing';
import { type GraphBounds, settingsOf } from './options.js';
import { walkGraph } from './walk-graph.js';

function manifestOf(content: object): Manifest {
  return manifestFromBytes(Buffer.from(JSON.stringify({ schemaVersion: 2, ...content })), undefined);
}

function blobOf(size: number, type: string = mediaType.ociLayer, seed = 'blob') {
  return { mediaType: type, digest: digestOf(Buffer.from(seed)), size };
}

/** Walks over manifests that are held in a map, and notes what is read. */
async function walked(root: Manifest, manifests: readonly Manifest[], bounds: GraphBounds & { readonly signal?: AbortSignal } = {}) {
  const held = new Map(manifests.map((manifest) => [manifest.digest, manifest]));
  const read: Digest[] = [];
  const load = async (digest: Digest) => {
    read.push(digest);
    return held.get(digest);
  };
  const graph = await walkGraph(root, { load, side: { side: 'source' }, settings: settingsOf(bounds) });
  return { graph, read };
}

function walkedBuilt(built: BuiltContent, bounds: GraphBounds = {}) {
  return walked(built.manifest, manifestsOf(built), bounds);
}

describe('walkGraph', () => {
  it('reads each manifest once and puts children in earlier levels than their parents', async () => {
    const [a, b] = [buildImage({ seed: 1 }), buildImage({ seed: 2 })];
    const inner = buildIndex([a, b]);
    const outer = buildIndex([a, inner]);
    const root = buildIndex([inner, outer, a]);

    const { graph, read } = await walkedBuilt(root);

    expect(read.sort()).toEqual([a, b, inner, outer].map((built) => built.manifest.digest).sort());
    expect(graph.levels.map((level) => [...level].sort())).toEqual([
      [a.manifest.digest, b.manifest.digest].sort(),
      [inner.manifest.digest],
      [outer.manifest.digest],
      [root.manifest.digest],
    ]);
    expect(graph.blobs.map((blob) => blob.digest).sort()).toEqual([...a.blobs.keys(), ...b.blobs.keys()].sort());
  });

  it('takes an empty index and an artifact without layers', async () => {
    const config = blobOf(2, mediaType.ociEmpty);
    const artifact = manifestOf({ config, layers: [] });

    expect((await walkedBuilt(buildIndex([]))).graph).toMatchObject({ blobs: [], foreign: 0 });
    expect((await walked(artifact, [])).graph.blobs).toEqual([config]);
  });

  it('counts foreign layers and does not list them among the blobs', async () => {
    const foreign = blobOf(5, 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', 'windows');
    const image = manifestOf({ config: blobOf(2, mediaType.ociConfig, 'config'), layers: [foreign, foreign] });

    const { graph } = await walked(image, []);

    expect(graph.foreign).toBe(1);
    expect(graph.blobs.map((blob) => blob.size)).toEqual([2]);
  });

  it('takes what an index names without being a manifest for a blob', async () => {
    const blob = blobOf(9, 'application/x-other');

    expect((await walked(manifestOf({ manifests: [blob] }), [])).graph.blobs).toEqual([blob]);
  });

  it('goes on without what is missing when it is told so', async () => {
    const [here, gone] = [buildImage({ seed: 1 }), buildImage({ seed: 2 })];
    const root = buildIndex([here, gone]);

    const { graph } = await walked(root.manifest, [here.manifest]);

    expect(graph.blobs.map((blob) => blob.digest).sort()).toEqual([...here.blobs.keys()].sort());
  });

  it('refuses a child whose size is not what its descriptor says', async () => {
    const child = buildImage().manifest;
    const root = manifestOf({ manifests: [{ mediaType: child.mediaType, digest: child.digest, size: 7 }] });

    await expect(walked(root, [child])).rejects.toMatchObject({ code: 'source-corrupt', side: 'source', digest: child.digest });
  });

  it('refuses manifests that give one child two sizes', async () => {
    const child = buildImage().manifest;
    const descriptor = { mediaType: child.mediaType, digest: child.digest, size: child.bytes.byteLength };
    const wrong = manifestOf({ manifests: [{ ...descriptor, size: 7 }] });
    const root = manifestOf({
      manifests: [{ mediaType: mediaType.ociIndex, digest: wrong.digest, size: wrong.bytes.byteLength }, descriptor],
    });

    await expect(walked(root, [child, wrong])).rejects.toMatchObject({ code: 'source-invalid', digest: child.digest });
  });

  it('refuses manifests that give one blob two sizes', async () => {
    const image = manifestOf({ config: blobOf(1), layers: [] });
    const other = manifestOf({ config: blobOf(2), layers: [] });
    const root = manifestOf({
      manifests: [image, other].map(({ digest, bytes }) => ({ mediaType: mediaType.ociManifest, digest, size: bytes.byteLength })),
    });

    await expect(walked(root, [image, other])).rejects.toMatchObject({ code: 'source-invalid' });
  });

  it('refuses a manifest that it cannot understand', async () => {
    await expect(walked(manifestOf({ layers: 'none' }), [])).rejects.toMatchObject({ code: 'source-invalid' });
  });

  it('ends at the first failure and tells the other reads to stop', async () => {
    const root = buildIndex([buildImage({ seed: 1 }), buildImage({ seed: 2 })]);
    const stopped: Digest[] = [];
    const load = async (digest: Digest, signal: AbortSignal): Promise<Manifest> => {
      if (digest === root.children[0]?.manifest.digest) throw new Error('lost');
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          stopped.push(digest);
          reject(new Error('stopped'));
        });
      });
    };

    const walk = walkGraph(root.manifest, { load, side: { side: 'source' }, settings: settingsOf({}) });

    await expect(walk).rejects.toThrow('lost');
    expect(stopped).toEqual([root.children[1]?.manifest.digest]);
  });

  it('hands a signal that came before on to the reads', async () => {
    const root = buildIndex([buildImage()]);
    const load = async (_: Digest, signal: AbortSignal): Promise<undefined> => {
      signal.throwIfAborted();
      return undefined;
    };
    const settings = settingsOf({ signal: AbortSignal.abort(new Error('enough')) });

    await expect(walkGraph(root.manifest, { load, side: { side: 'source' }, settings })).rejects.toThrow('enough');
  });

  describe('bounds', () => {
    const chain = buildIndex([buildIndex([buildIndex([buildImage()])])]);
    const wide = buildIndex([1, 2, 3].map((seed) => buildImage({ seed })));
    // The chain is at most two steps below this root, but its longest way down is not.
    const shortcut = buildIndex([chain, ...chain.children, ...(chain.children[0]?.children ?? []), buildImage()]);

    const rows: readonly [string, BuiltContent, GraphBounds, boolean][] = [
      ['as deep as allowed', chain, { maxDepth: 4 }, true],
      ['too deep', chain, { maxDepth: 3 }, false],
      ['too deep by the longest way', shortcut, { maxDepth: 4 }, false],
      ['as many manifests as allowed', wide, { maxManifests: 4 }, true],
      ['too many manifests', wide, { maxManifests: 3 }, false],
      ['as many descriptors as allowed', wide, { maxDescriptors: 12 }, true],
      ['too many descriptors', wide, { maxDescriptors: 11 }, false],
    ];
    it.each(rows)('%s', async (_, built, bounds, allowed) => {
      const walk = walkedBuilt(built, bounds);

      if (allowed) await expect(walk).resolves.toBeDefined();
      else await expect(walk).rejects.toMatchObject({ code: 'graph-too-large', side: 'engine', digest: built.manifest.digest });
    });

    it('reads nothing beyond them', async () => {
      const held = manifestsOf(chain);
      const read: Digest[] = [];
      const load = async (digest: Digest) => {
        read.push(digest);
        return held.find((manifest) => manifest.digest === digest);
      };

      await expect(walkGraph(chain.manifest, { load, side: { side: 'source' }, settings: settingsOf({ maxDepth: 2 }) })).rejects.toThrow();
      expect(read).toHaveLength(1);
    });
  });
});
