import { describe, expect, it } from '@jest/globals';
import { parseTag } from '@waybill/oci-model';
import { blobsOf, buildImage, buildIndex, manifestsOf, MemoryRegistry, MemoryStore, pushBuilt } from '@waybill/testing';
import { copyGraph } from './copy-graph.js';

const v1 = parseTag('1.0.0');

describe('copyGraph', () => {
  it('brings a nested index whole to every target and reads each blob once', async () => {
    const base = buildImage({ seed: 1 });
    const built = buildIndex([
      buildIndex([base, buildImage({ seed: 2, platform: { os: 'linux', architecture: 'arm64' }, base })]),
      buildImage({ seed: 3, layers: 3 }),
      base,
    ]);
    const source = new MemoryStore();
    await pushBuilt(source, built);
    const stores = [new MemoryStore(), new MemoryRegistry().repository('a')];
    const targets = stores.map((store, index) => ({ id: `t${index}`, store, tags: [v1] }));

    const report = await copyGraph(source, built.manifest.digest, targets);

    expect([...report.targets.values()].map(({ outcome }) => outcome)).toEqual(['copied', 'copied']);
    for (const store of stores) {
      expect([...store.blobs.keys()].sort()).toEqual([...blobsOf(built).keys()].sort());
      expect([...store.manifests.keys()].sort()).toEqual(
        manifestsOf(built)
          .map((manifest) => manifest.digest)
          .sort(),
      );
      expect(store.tags.get(v1)).toBe(built.manifest.digest);
      expect(store.calls.at(-1)).toEqual({ method: 'putTag', about: v1 });
    }
    expect(source.callsOf('readBlob').sort()).toEqual([...blobsOf(built).keys()].sort());
    expect(source.callsOf('readManifest').sort()).toEqual(
      manifestsOf(built)
        .map((manifest) => manifest.digest)
        .sort(),
    );
  });
});
