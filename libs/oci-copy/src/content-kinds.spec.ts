import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  childrenOf,
  type ContentStore,
  type Descriptor,
  descriptorOf,
  digestOf,
  hexOf,
  type Manifest,
  manifestFromBytes,
  mediaType,
  parseRepositoryName,
  parseTag,
} from '@waybill/oci-model';
import { OciLayout } from '@waybill/oci-layout';
import { RegistryClient } from '@waybill/oci-registry';
import {
  type BuiltContent,
  buildImage,
  buildIndex,
  buildSignedArtifact,
  describeWith,
  expectContained,
  memoryStoreWith,
  pushArtifact,
  pushBuilt,
  randomBytes,
  type RunningRegistry,
  startDockerRegistry,
} from '@waybill/testing';
import { copyGraph } from './copy-graph.js';
import { verifyGraph } from './verify-graph.js';

const tag = parseTag('1.0.0');
const subject = buildImage({ seed: 1 });

function blobOf(bytes: Uint8Array, type: string): Descriptor {
  return { mediaType: type, digest: digestOf(bytes), size: bytes.byteLength };
}

/** A manifest as it is written, over blobs and children that are at hand. */
function made(content: object, blobs: readonly Uint8Array[] = [], children: readonly BuiltContent[] = []): BuiltContent {
  const manifest = manifestFromBytes(Buffer.from(JSON.stringify({ schemaVersion: 2, ...content })), undefined);
  return { manifest, blobs: new Map(blobs.map((bytes) => [digestOf(bytes), bytes])), children };
}

const empty = Buffer.from('{}');
const emptyConfig = blobOf(empty, mediaType.ociEmpty);
const layer = randomBytes(5_000, 'layer');
// The magic number of a zstd frame (RFC 8878, section 3.1.1); nobody on the way unpacks it.
const zstd = Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), randomBytes(3_000, 'zstd')]);
const config = Buffer.from(JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [] } }));
const [oci, docker] = [buildImage({ seed: 2 }), buildImage({ seed: 3, mediaTypes: 'docker' })];
const nothing = buildIndex([]);

const kinds: Readonly<Record<string, BuiltContent>> = {
  'a Docker manifest': docker,
  'a Docker list': buildIndex([docker], { mediaTypes: 'docker' }),
  'an OCI index over a Docker manifest and an OCI one': buildIndex([docker, oci]),
  'an OCI index over a Docker list': buildIndex([buildIndex([docker], { mediaTypes: 'docker' }), oci]),
  'nested indexes with shared children': buildIndex([buildIndex([buildIndex([oci]), docker]), oci]),
  'an empty index': nothing,
  'an index over an empty one': buildIndex([nothing, oci]),
  'an artifact with the empty config': made(
    { mediaType: mediaType.ociManifest, artifactType: 'a/b', config: emptyConfig, layers: [blobOf(layer, 'a/layer')] },
    [empty, layer],
  ),
  'an artifact that is nothing but annotations': made(
    { mediaType: mediaType.ociManifest, artifactType: 'a/b', config: emptyConfig, layers: [emptyConfig], annotations: { a: 'b' } },
    [empty],
  ),
  'an index with an artifact type': made(
    { mediaType: mediaType.ociIndex, artifactType: 'a/set', manifests: [{ ...descriptorOf(oci.manifest), artifactType: 'a/b' }] },
    [],
    [oci],
  ),
  'a manifest that names its type nowhere': made(
    { config: blobOf(config, mediaType.ociConfig), layers: [blobOf(layer, mediaType.ociLayer)] },
    [config, layer],
  ),
  'layers of zstd': made(
    {
      mediaType: mediaType.ociManifest,
      config: blobOf(config, mediaType.ociConfig),
      layers: [blobOf(zstd, 'application/vnd.oci.image.layer.v1.tar+zstd')],
    },
    [config, zstd],
  ),
  'a manifest with a subject': made(
    {
      mediaType: mediaType.ociManifest,
      artifactType: 'a/b',
      config: emptyConfig,
      layers: [emptyConfig],
      subject: descriptorOf(subject.manifest),
    },
    [empty],
  ),
  'unknown properties and odd spacing': {
    ...oci,
    manifest: manifestFromBytes(
      Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(oci.manifest.bytes).toString()), 'x-vendor': [1, null] }, null, 3) + '\n'),
      oci.manifest.mediaType,
    ),
  },
};

describeWith('docker-registry', 'copying every kind of content', () => {
  let folder: string;
  const registries: { readonly registry: RunningRegistry; readonly client: RegistryClient }[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'waybill-kinds-'));
    for (const options of [{}, { foreignUrls: ['^https://mcr\\.example/'] }]) {
      const registry = await startDockerRegistry(options);
      registries.push({ registry, client: new RegistryClient({ origin: registry.url, timeouts: { settleMs: 10 } }) });
    }
  });
  afterAll(async () => {
    for (const { registry, client } of registries) {
      client.close();
      await registry.stop();
    }
    await rm(folder, { recursive: true, force: true });
  });

  async function newLayout(): Promise<{ readonly dir: string; readonly store: ContentStore }> {
    const dir = await mkdtemp(join(folder, 'layout-'));
    return { dir, store: (await OciLayout.create(dir)).store() };
  }
  let count = 0;
  const newRepository = (index: number) => registries[index]!.client.repository(parseRepositoryName(`kinds/r${(count += 1)}`));
  const newTargets = async () => [
    { id: 'registry', store: newRepository(1), tags: [tag] },
    { id: 'layout', store: (await newLayout()).store, tags: [tag] },
  ];
  const sources: readonly [string, () => Promise<ContentStore>][] = [
    ['Distribution', () => Promise.resolve(newRepository(0))],
    ['a layout', async () => (await newLayout()).store],
  ];

  describe.each(sources)('from %s', (_from, newSource) => {
    it.each(Object.entries(kinds))('brings %s byte for byte to both', async (_, content) => {
      const source = await newSource();
      const targets = await newTargets();
      await pushBuilt(source, subject);
      await pushBuilt(source, content);
      const { digest, bytes, mediaType: type } = content.manifest;

      const report = await copyGraph(source, digest, targets);

      for (const { id, store } of targets) {
        expect(report.targets.get(id)).toMatchObject({ outcome: 'copied' });
        expect(await store.readManifest(tag)).toEqual({ digest, mediaType: type, bytes: expect.anything() });
        expect(Buffer.compare((await store.readManifest(digest)).bytes, bytes)).toBe(0);
        await verifyGraph(store, digest);
        await expectContained(source, store, digest);
      }
    });

    it('brings a signed artifact with all that refers to it to both, and nothing on the way back', async () => {
      const artifact = buildSignedArtifact();
      const { digest } = artifact.root.manifest;
      const source = await newSource();
      const targets = await newTargets();
      await pushArtifact(source, artifact);
      await source.putTag(tag, artifact.root.manifest);

      const report = await copyGraph(source, digest, targets, { referrers: { required: 'all' } });

      for (const { id, store } of targets) {
        const { outcome, referrers } = report.targets.get(id)!;
        expect([outcome, referrers.length]).toEqual(['copied', 8]);
        await expectContained(source, store, digest);
        await verifyGraph(store, digest, { referrers });
        const back = await copyGraph(store, digest, [{ id: 't', store: source, tags: [tag] }], { referrers: { required: 'all' } });
        expect(back.targets.get('t')).toMatchObject({
          outcome: 'already-present',
          manifests: { copied: 0 },
          blobs: { copied: 0, mounted: 0 },
        });
      }
    });
  });

  describe('foreign layers', () => {
    const foreign = randomBytes(100, 'foreign');
    const urls = ['https://mcr.example/layer'];

    function windows(type: string, layerType: string, configType: string): BuiltContent {
      const layers = [{ ...blobOf(foreign, layerType), urls }, blobOf(layer, mediaType.ociLayerGzip)];
      return made({ mediaType: type, config: blobOf(config, configType), layers }, [config, layer]);
    }
    const rows: readonly [string, BuiltContent][] = [
      [
        'Docker',
        windows(
          mediaType.dockerManifest,
          'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
          'application/vnd.docker.container.image.v1+json',
        ),
      ],
      ['OCI', windows(mediaType.ociManifest, 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip', mediaType.ociConfig)],
    ];

    it.each(rows)('of %s stay references, also at targets that never saw them', async (_, image) => {
      const source = await memoryStoreWith(image);
      const targets = await newTargets();

      const report = await copyGraph(source, image.manifest.digest, targets);

      expect(report.foreignLayers).toBe(1);
      for (const { id, store } of targets) {
        expect(report.targets.get(id)).toMatchObject({ outcome: 'copied', blobs: { copied: 2 } });
        expect(await store.probeBlob(blobOf(foreign, 'a/b'))).toBe(false);
        expect(await verifyGraph(store, image.manifest.digest)).toMatchObject({ foreignLayers: 1, blobs: 2 });
      }
      expect(source.callsOf('readBlob')).not.toContain(digestOf(foreign));
    });

    it.each(rows)('of %s leave no tag at a registry that was not told of their URLs', async (_, image) => {
      const source = await memoryStoreWith(image);
      const store = newRepository(0);

      const report = await copyGraph(source, image.manifest.digest, [{ id: 't', store, tags: [tag] }], { retries: 0 });

      // Distribution 2.8 answers 500 and does not say what it minds.
      expect(report.targets.get('t')).toMatchObject({
        outcome: 'failed',
        error: { code: 'target-unreachable', operation: 'push manifest' },
      });
      expect(await store.resolveTag(tag)).toBeUndefined();
    });
  });

  describe('Docker’s schema 1', () => {
    const schema1 = Buffer.from(
      JSON.stringify({ schemaVersion: 1, name: 'library/old', tag: 'latest', fsLayers: [{ blobSum: digestOf(layer) }], history: [] }),
    );

    /** A layout that another tool has filled. */
    async function oldLayout(descriptor: Descriptor, bytes: readonly Uint8Array[]): Promise<ContentStore> {
      const { dir, store } = await newLayout();
      await mkdir(join(dir, 'blobs/sha256'), { recursive: true });
      for (const each of bytes) await writeFile(join(dir, 'blobs/sha256', hexOf(digestOf(each))), each);
      const index = { schemaVersion: 2, manifests: [{ ...descriptor, annotations: { 'org.opencontainers.image.ref.name': tag } }] };
      await writeFile(join(dir, 'index.json'), JSON.stringify(index));
      return store;
    }

    it('is refused as a root, and nothing is written', async () => {
      const descriptor = blobOf(schema1, mediaType.dockerSchema1);
      const source = await oldLayout(descriptor, [schema1]);
      const target = newRepository(1);

      const copy = copyGraph(source, descriptor.digest, [{ id: 't', store: target, tags: [tag] }]);

      await expect(copy).rejects.toMatchObject({ code: 'source-invalid', side: 'source' });
      expect(await target.resolveTag(tag)).toBeUndefined();
    });

    it('is refused beneath an index', async () => {
      const index: Manifest = manifestFromBytes(
        Buffer.from(
          JSON.stringify({
            schemaVersion: 2,
            mediaType: mediaType.dockerManifestList,
            manifests: [blobOf(schema1, mediaType.dockerSchema1Signed)],
          }),
        ),
        undefined,
      );
      const source = await oldLayout(descriptorOf(index), [index.bytes, schema1]);
      const target = newRepository(1);

      const report = await copyGraph(source, index.digest, [{ id: 't', store: target, tags: [tag] }]);

      expect(report.targets.get('t')).toMatchObject({ outcome: 'failed', error: { code: 'source-invalid' } });
      expect(await target.resolveTag(tag)).toBeUndefined();
      expect(() => childrenOf(index)).toThrow('schema 1');
    });
  });
});
