import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseRepositoryName, type Tag } from '@waybill/oci-model';
import { RegistryClient, type RepositoryClient } from '@waybill/oci-registry';
import {
  buildCosignTag,
  buildImage,
  buildIndex,
  buildReferrer,
  type BuiltContent,
  pushBuilt,
  type RunningRegistry,
  startDockerRegistry,
} from '@waybill/testing';
import { CrawlScene } from './crawl-scene.spec-helper.js';

const repositories = Array.from({ length: 10 }, (_, number) => `team-${number}/app`);
const imagesEach = 16;
/** Beside the images of each repository: an index, an image with a signature and one with a referrer. */
const tagsEach = imagesEach + 4;
const tags = repositories.length * tagsEach;

/** Requests to Distribution, which keeps no list of referrers, as a check has found: its fallback tag is a tag like any other. */
describe('the requests of a crawl', () => {
  let server: RunningRegistry;
  let client: RegistryClient;
  let scene: CrawlScene;

  beforeAll(async () => {
    server = await startDockerRegistry();
    client = new RegistryClient({ origin: server.url });
    await Promise.all(repositories.map((name, number) => fill(client.repository(parseRepositoryName(name)), number * 100)));
    scene = await CrawlScene.open(server.url);
    await scene.checked(false);
  }, 120_000);

  afterAll(async () => {
    await scene.close();
    client.close();
    await server.stop();
  });

  async function fill(store: RepositoryClient, seed: number): Promise<void> {
    const tagged = async (content: BuiltContent, tag: Tag): Promise<void> => {
      await pushBuilt(store, content);
      await store.putTag(tag, content.manifest);
    };
    for (let number = 0; number < imagesEach; number += 1) await tagged(imageOf(seed + number), `v${number}` as Tag);
    const arm = buildImage({ seed: seed + 50, layers: 1, layerBytes: 16, platform: { os: 'linux', architecture: 'arm64' } });
    await tagged(buildIndex([imageOf(seed + 51), arm]), 'multi' as Tag);
    const signed = imageOf(seed + 52);
    await tagged(signed, 'signed' as Tag);
    const signature = buildCosignTag(signed);
    await tagged(signature.content, signature.tag);
    // Its referrers tag is written by the client.
    await pushBuilt(store, buildReferrer(imageOf(seed)));
  }

  it('are three for each image at first, and what is beneath an index', async () => {
    const { state, requests, found } = await scene.crawl('full');

    expect({ state, found }).toMatchObject({ state: 'complete', found: { repositories: 10, tagsAdded: tags, manifestsRead: 230 } });
    expect(requests.HEAD).toBe(tags);
    // An image is its manifest and its config; an index of two is itself, both of them and the config of one.
    const [image, index, signature, referrersTag] = [2, 4, 1, 2];
    expect(requests.GET).toBe(1 + repositories.length * (1 + (imagesEach + 1) * image + index + signature + referrersTag));
  });

  it('are one list for each repository and one HEAD for each tag when a full crawl comes again', async () => {
    expect(await scene.crawl('full')).toMatchObject({
      state: 'complete',
      requests: { GET: repositories.length + 1, HEAD: tags },
      found: { repositories: 10 },
    });
  });

  it('are one list for each repository when a quick one does', async () => {
    const { state, requests } = await scene.crawl('quick');

    expect({ state, requests }).toEqual({ state: 'complete', requests: { GET: repositories.length + 1 } });
  });

  it('find every tag that was moved in silence', async () => {
    for (const name of repositories) {
      const store = client.repository(parseRepositoryName(name));
      for (const number of [1, 3, 5, 7, 9]) await store.putTag(`v${number}` as Tag, await store.readManifest('v0' as Tag));
    }

    const quick = await scene.crawl('quick');
    const full = await scene.crawl('full');

    expect(quick.found).toEqual({ repositories: 10 });
    expect(full.found).toMatchObject({ tagsMoved: 50 });
    // What the moved tags named is asked for by its digest: it is still there.
    expect(full.requests).toEqual({ GET: repositories.length + 1, HEAD: tags + 50 });
    expect(full.found.manifestsGone).toBeUndefined();
  });
});

function imageOf(seed: number): BuiltContent {
  return buildImage({ seed, layers: 1, layerBytes: 16 });
}
