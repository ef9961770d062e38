import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Tag } from '@waybill/oci-model';
import { buildImage, type BuiltContent, pushBuilt } from '@waybill/testing';
import { RegistryUnderTest } from '../../registry-under-test.spec-helper.js';
import { CrawlScene } from './crawl-scene.spec-helper.js';

const app = 'team-a/app';
const image = buildImage({ seed: 1 });
const other = buildImage({ seed: 2 });

describe('a crawl', () => {
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
    const store = registry.repository(repository);
    await pushBuilt(store, content);
    for (const tag of tags) await store.putTag(tag as Tag, content.manifest);
  }

  it('writes down what a registry holds', async () => {
    await push(image, app, '1.0.0', 'latest');
    await push(other, 'team-b/app', '2.0.0');

    const ended = await scene.crawl('full');

    expect(ended).toMatchObject({ state: 'complete', listed_from: 'catalogue', problem: null });
    expect(ended.found).toMatchObject({ repositories: 2, tagsAdded: 3, manifestsRead: 2 });
    expect(await scene.tags(app)).toEqual({
      '1.0.0': { digest: image.manifest.digest, source: 'crawl', isGone: false, isMissing: false },
      latest: { digest: image.manifest.digest, source: 'crawl', isGone: false, isMissing: false },
    });
    expect(await scene.placed(app)).toEqual([image.manifest.digest]);
    expect(await scene.repository(app)).toMatchObject({
      state: 'known',
      tagCount: 2,
      manifestCount: 1,
      unreadableManifests: 0,
      lastFullCrawlStartedAt: expect.any(Date),
    });
  });

  it('notes what was moved, added and removed, once', async () => {
    await push(image, app, '1.0.0', 'latest', 'old');
    await scene.crawl('full');
    await push(other, app, 'latest', 'new');
    await registry.repository(app).untag('old' as Tag);

    const ended = await scene.crawl('full');
    await scene.crawl('full');

    expect(ended.found).toMatchObject({ tagsAdded: 1, tagsMoved: 1, tagsGone: 1, manifestsRead: 1 });
    expect(await scene.events(app, 'latest')).toEqual([
      [null, image.manifest.digest, 'crawl'],
      [image.manifest.digest, other.manifest.digest, 'crawl'],
    ]);
    expect(await scene.events(app, 'old')).toEqual([
      [null, image.manifest.digest, 'crawl'],
      [image.manifest.digest, null, 'crawl'],
    ]);
    expect(await scene.present(app)).toEqual(['1.0.0', 'latest', 'new']);
  });
});
