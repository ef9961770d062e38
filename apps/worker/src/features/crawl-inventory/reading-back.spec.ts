import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RepositoryName, Tag } from '@waybill/oci-model';
import {
  InventoryManifests,
  InventoryRelations,
  InventoryRepositories,
  InventorySearch,
  InventoryTags,
  VisibleRepositories,
} from '@waybill/persistence';
import { buildCosignTag, buildImage, buildIndex, buildReferrer, type BuiltContent, pushBuilt } from '@waybill/testing';
import { RegistryUnderTest } from '../../registry-under-test.spec-helper.js';
import { CrawlScene } from './crawl-scene.spec-helper.js';

const app = 'team-a/app' as RepositoryName;
const amd = buildImage({ seed: 1 });
const arm = buildImage({ seed: 2, platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } });
const index = buildIndex([amd, arm], { annotations: { revision: '4f2a' } });
const visible = new VisibleRepositories(['**']);

describe('what a crawl has written, read again', () => {
  let registry: RegistryUnderTest;
  let scene: CrawlScene;
  let registryId: string;

  beforeEach(async () => {
    registry = await RegistryUnderTest.start();
    scene = await CrawlScene.open(registry.url);
    await push(index, 'latest', '1.0.0');
    await scene.crawl('full');
    registryId = (await scene.repository(app))?.registryId ?? '';
  });
  afterEach(async () => {
    await scene.close();
    await registry.stop();
  });

  async function push(content: BuiltContent, ...tags: readonly string[]): Promise<void> {
    await pushBuilt(registry.repository(app), content);
    for (const tag of tags) await registry.repository(app).putTag(tag as Tag, content.manifest);
  }

  async function repository() {
    const found = await new InventoryRepositories(scene.recorded.database).get(registryId, app);
    if (found === undefined) throw new Error('nobody has seen the repository');
    return found;
  }

  async function tags(): Promise<string[]> {
    const { id: repositoryId } = await repository();
    const list = { repositoryId, prefix: '', withReserved: false, after: undefined, limit: 50 };
    return (await new InventoryTags(scene.recorded.database).list(list)).map(({ name }) => name);
  }

  it('lists tags and manifests with what they say', async () => {
    const { id: repositoryId, state } = await repository();
    const of = { registryId, repositoryId, repository: app, after: undefined, limit: 50 };
    const manifests = new InventoryManifests(scene.recorded.database);

    expect(state).toBe('known');
    expect(await tags()).toEqual(['1.0.0', 'latest']);
    expect((await manifests.list({ ...of, state: 'tagged' })).rows).toMatchObject([
      {
        digest: index.manifest.digest,
        tags: ['1.0.0', 'latest'],
        facts: {
          platforms: [
            { os: 'linux', architecture: 'amd64' },
            { os: 'linux', architecture: 'arm64', variant: 'v8' },
          ],
          annotations: { revision: '4f2a' },
        },
      },
    ]);
    expect((await manifests.list({ ...of, state: 'untagged' })).rows.map(({ digest }) => digest)).toEqual(
      [amd.manifest.digest, arm.manifest.digest].sort(),
    );
  });

  it('finds it by annotation, tag and digest', async () => {
    const search = new InventorySearch(scene.recorded.database);
    const scope = { registries: [registryId], visible, repository: undefined, after: undefined, limit: 50 };
    const terms = { annotation: { key: 'revision', value: '4f2a' }, tag: '1.*', digest: index.manifest.digest.slice(0, 15) };

    expect((await search.artifacts({ ...scope, ...terms })).rows).toMatchObject([
      { digest: index.manifest.digest, places: [{ registryId, repository: app, tags: ['1.0.0'] }], hasMorePlaces: false },
    ]);
    expect((await search.tags({ ...scope, tag: 'latest' })).rows).toMatchObject([{ repository: app, digest: index.manifest.digest }]);
  });

  it('tells what refers to an image, and by which way that is known', async () => {
    const referrer = buildReferrer(amd);
    const signature = buildCosignTag(amd);
    await push(referrer);
    await push(signature.content, signature.tag);
    await push(amd, 'amd64');
    await scene.crawl('full');

    const { facts, blobs, referrers } = await new InventoryRelations(scene.recorded.database).read(amd.manifest.digest, {
      registries: [registryId],
      visible,
    });

    expect(facts?.platforms).toEqual([expect.objectContaining({ os: 'linux', architecture: 'amd64' })]);
    expect(blobs.map(({ digest }) => digest)).toEqual([...amd.blobs.keys()].sort());
    expect(new Map(referrers.map(({ digest, ways }) => [digest, ways]))).toEqual(
      new Map([
        [referrer.manifest.digest, ['subject']],
        [signature.content.manifest.digest, ['cosign-tag']],
      ]),
    );
  });

  it('says since when a repository cannot be looked at, and keeps what was seen', async () => {
    const before = await repository();
    registry.fault = ({ path }) => (path === `/v2/${app}/tags/list` ? { status: 403 } : undefined);
    await scene.crawl('quick');
    const failed = await repository();
    await scene.crawl('full');

    expect(failed).toMatchObject({ state: 'unreadable', problem: { code: 'denied' }, listedAt: before.listedAt });
    expect(failed.since.getTime()).toBeGreaterThan(before.since.getTime());
    expect((await repository()).since).toEqual(failed.since);
    expect(await tags()).toEqual(['1.0.0', 'latest']);
  });
});
