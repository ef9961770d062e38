import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { digestOf, type Manifest, manifestFromBytes, mediaType, type Tag } from '@waybill/oci-model';
import { buildCosignTag, buildImage, buildIndex, buildReferrer, type BuiltContent, pushBuilt } from '@waybill/testing';
import { RegistryUnderTest } from '../../registry-under-test.spec-helper.js';
import { CrawlScene } from './crawl-scene.spec-helper.js';

const app = 'team-a/app';
const elsewhere = 'team-b/app';
const amd = buildImage({ seed: 1 });
const arm = buildImage({ seed: 2, platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } });

/** An image whose config says when it was made. */
function imageMade(created: string | undefined): BuiltContent {
  const config = Buffer.from(JSON.stringify({ os: 'linux', architecture: 'amd64', created, rootfs: { type: 'layers', diff_ids: [] } }));
  const content = {
    schemaVersion: 2,
    mediaType: mediaType.ociManifest,
    config: { mediaType: mediaType.ociConfig, digest: digestOf(config), size: config.byteLength },
    layers: [],
  };
  return { manifest: manifestOf(content), blobs: new Map([[digestOf(config), config]]), children: [] };
}

function manifestOf(content: { readonly mediaType: string }): Manifest {
  return manifestFromBytes(Buffer.from(JSON.stringify(content)), content.mediaType);
}

describe('what a crawl knows of manifests', () => {
  let registry: RegistryUnderTest;
  let scene: CrawlScene;

  beforeEach(async () => {
    registry = await RegistryUnderTest.start();
    scene = await CrawlScene.open(registry.url);
  });
  afterEach(async () => {
    await scene.close();
    await registry.stop();
  });

  async function push(content: BuiltContent, repository: string, ...tags: readonly string[]): Promise<void> {
    await pushBuilt(registry.repository(repository), content);
    for (const tag of tags) await registry.repository(repository).putTag(tag as Tag, content.manifest);
  }

  async function facts({ manifest }: Pick<BuiltContent, 'manifest'>) {
    return await scene.recorded.database.tables.manifest.findUnique({ where: { digest: Buffer.from(manifest.digest.slice(7), 'hex') } });
  }

  async function edges(kind: string): Promise<(readonly [string, string])[]> {
    const rows = await scene.recorded.database.tables.$queryRaw<{ parent: string; child: string }[]>`
      SELECT digest_text(parent) AS parent, digest_text(child) AS child FROM content_edge WHERE kind = ${kind} ORDER BY 1, 2`;
    return rows.map(({ parent, child }) => [parent, child]);
  }

  const manifestReads = () => registry.requests.filter((request) => request.startsWith('GET') && request.includes('/manifests/'));

  it('is what an index says, and the images beneath it', async () => {
    const index = buildIndex([amd, arm], { annotations: { 'org.opencontainers.image.source': 'https://example.com/app' } });
    await push(index, app, 'multi');

    await scene.crawl('full');

    expect(await facts(index)).toMatchObject({
      isIndex: true,
      platforms: [
        { os: 'linux', architecture: 'amd64' },
        { os: 'linux', architecture: 'arm64', variant: 'v8' },
      ],
      annotations: { 'org.opencontainers.image.source': 'https://example.com/app' },
      raw: Uint8Array.from(index.manifest.bytes),
      blobBytes: 0n,
    });
    expect(await facts(arm)).toMatchObject({ isIndex: false, platforms: [{ architecture: 'arm64' }], createdProblem: 'unread' });
    expect(await scene.placed(app)).toEqual([index, amd, arm].map(({ manifest }) => manifest.digest).sort());
    expect((await edges('child')).filter(([parent]) => parent === index.manifest.digest).map(([, child]) => child)).toEqual(
      [amd.manifest.digest, arm.manifest.digest].sort(),
    );
    expect(await scene.recorded.database.tables.manifestAnnotation.findMany()).toMatchObject([
      { key: 'org.opencontainers.image.source', value: 'https://example.com/app' },
    ]);
  });

  it.each([
    ['2026-04-30T10:00:00Z', { createdAt: new Date('2026-04-30T10:00:00Z'), createdProblem: null }],
    ['1970-01-01T00:00:00Z', { createdAt: null, createdProblem: 'epoch' }],
    [undefined, { createdAt: null, createdProblem: 'missing' }],
  ])('is when an image was made, if that can be: %s', async (created, expected) => {
    const made = imageMade(created);
    await push(made, app, '1.0.0');
    const index = buildIndex([{ ...made, platform: { os: 'linux', architecture: 'amd64' } }]);
    await push(index, app, 'multi');

    await scene.crawl('full');

    expect(await facts(made)).toMatchObject(expected);
    expect(await facts(index)).toMatchObject(expected);
  });

  it('is of an image that was seen beneath an index, once a tag names it', async () => {
    const made = imageMade('2026-04-30T10:00:00Z');
    const children = [amd, { ...made, platform: { os: 'linux', architecture: 'arm64' } }];
    await push(buildIndex(children), app, 'multi');
    await scene.crawl('full');
    expect(await facts(made)).toMatchObject({ createdProblem: 'unread' });
    await push(made, app, 'arm');

    await scene.crawl('full');

    expect(await facts(made)).toMatchObject({ createdAt: new Date('2026-04-30T10:00:00Z'), createdProblem: null });
  });

  it('is read once, wherever it turns up', async () => {
    const index = buildIndex([amd, arm]);
    await push(index, app, 'multi');
    await scene.crawl('full');
    await push(index, elsewhere, 'multi', 'latest');
    registry.requests.length = 0;

    await scene.crawl('full');

    expect(manifestReads()).toEqual([]);
    expect(await scene.placed(elsewhere)).toEqual(await scene.placed(app));
  });

  it('is what refers to what: by subject, by the tag for referrers and by the tags of cosign', async () => {
    const referrer = buildReferrer(amd, { annotations: { note: 'seen' } });
    const signature = buildCosignTag(amd);
    await push(amd, app, '1.0.0');
    await push(referrer, app);
    await push(signature.content, app, signature.tag);

    await scene.crawl('full');

    expect(await edges('reserved-tag')).toContainEqual([signature.content.manifest.digest, amd.manifest.digest]);
    expect(await scene.repository(app)).toMatchObject({ tagCount: 1 });
    expect(await facts(signature.content)).toMatchObject({ createdProblem: 'unread' });
  });

  it.each([
    ['lists referrers', true],
    ['was never checked', undefined],
  ])('is asked of a registry that %s', async (_what, referrersApi) => {
    await push(amd, app, '1.0.0');
    const referrer = buildReferrer(amd, { annotations: { note: 'seen' } });
    await push(referrer, app);
    if (referrersApi !== undefined) await scene.checked(referrersApi);

    await scene.crawl('full');

    expect(await edges('subject')).toEqual([[referrer.manifest.digest, amd.manifest.digest]]);
    expect(await facts(referrer)).toMatchObject({ artifactType: referrer.artifactType, annotations: { note: 'seen' } });
    registry.requests.length = 0;
    await scene.crawl('full');
    // Of the image, and of what refers to it, which no tag leads to.
    expect(registry.requests.filter((request) => request.includes('/referrers/'))).toHaveLength(2);
    expect(manifestReads()).toEqual([]);
  });

  it('is what refers to a child, to what has lost its tag, and to what refers', async () => {
    const index = buildIndex([amd]);
    const attestation = buildReferrer(amd, { annotations: { of: 'a child' } });
    const signature = buildReferrer(attestation, { annotations: { of: 'an attestation' } });
    for (const content of [index, attestation, signature]) await push(content, app);
    await push(index, app, '1.0.0');
    await push(arm, app, 'latest');

    await scene.crawl('full');

    const found = [
      [attestation.manifest.digest, amd.manifest.digest],
      [signature.manifest.digest, attestation.manifest.digest],
    ].sort();
    expect(await edges('subject')).toEqual(found);

    const late = buildReferrer(arm, { annotations: { of: 'what has lost its tag' } });
    await push(late, app);
    await push(amd, app, 'latest');
    await scene.crawl('full');

    expect(await edges('subject')).toEqual([...found, [late.manifest.digest, arm.manifest.digest]].sort());
  });

  describe('that we put there and no tag names any more when a crawl comes by', () => {
    const index = buildIndex([amd, arm]);

    beforeEach(async () => {
      await push(index, app, 'latest');
      await push(amd, app, 'latest');
      const { tables } = scene.recorded.database;
      const { digest, bytes } = index.manifest;
      await tables.$executeRaw`
        INSERT INTO content (digest, media_type, size) VALUES (decode(${digest.slice(7)}, 'hex'), ${mediaType.ociIndex}, ${bytes.byteLength})`;
      await tables.$executeRaw`
        INSERT INTO placement (registry_id, repository, digest, seen_by, seen_from)
        SELECT id, ${app}, decode(${digest.slice(7)}, 'hex'), gen_random_uuid(), now() - interval '1 hour' FROM registry WHERE name = 'ci'`;
    });

    it('is what a full crawl reads, with what is beneath it', async () => {
      await scene.crawl('full');

      expect(await facts(index)).toMatchObject({ isIndex: true });
      expect(await scene.placed(app)).toEqual([index, amd, arm].map(({ manifest }) => manifest.digest).sort());
    });

    it('is gone when the registry says so', async () => {
      await registry.repository(app).deleteManifest(index.manifest.digest);

      expect(await scene.crawl('full')).toMatchObject({ state: 'complete', found: { manifestsGone: 1 } });

      expect(await scene.placed(app)).toEqual([amd.manifest.digest]);
      expect(await scene.repository(app)).toMatchObject({ unreadableManifests: 0 });
    });
  });

  it('is that what no tag leads to is still there, until the registry says that it is not', async () => {
    await push(amd, app, 'latest');
    await scene.crawl('full');
    await push(arm, app, 'latest');
    await scene.crawl('full');
    expect(await scene.placed(app)).toEqual([amd, arm].map(({ manifest }) => manifest.digest).sort());
    await registry.repository(app).deleteManifest(amd.manifest.digest);

    const ended = await scene.crawl('full');

    expect(ended.found).toMatchObject({ manifestsGone: 1 });
    expect(await scene.placed(app)).toEqual([arm.manifest.digest]);
  });
});
