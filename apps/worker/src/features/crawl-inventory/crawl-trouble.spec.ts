import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { FaultRule } from '@waybill/local-registry';
import type { Tag } from '@waybill/oci-model';
import { buildImage, buildIndex, pushBuilt } from '@waybill/testing';
import { RegistryUnderTest } from '../../registry-under-test.spec-helper.js';
import { CrawlScene } from './crawl-scene.spec-helper.js';

const app = 'team-a/app';
const neighbour = 'team-b/app';
const image = buildImage({ seed: 1 });
const other = buildImage({ seed: 2 });
const tagsOf = (repository: string) => `/v2/${repository}/tags/list`;
const numbered = (count: number) => Array.from({ length: count }, (_, number) => `v${number}`);

/** Fails requests whose path begins so. */
function failing(status: number, ...paths: readonly string[]): FaultRule {
  return ({ path }) => (paths.some((begin) => path.startsWith(begin)) ? { status } : undefined);
}

describe('a crawl of a registry in trouble', () => {
  let registry: RegistryUnderTest;
  let scene: CrawlScene;

  beforeEach(async () => {
    registry = await RegistryUnderTest.start();
    scene = await CrawlScene.open(registry.url);
    await pushBuilt(registry.repository(neighbour), image);
    await tag(neighbour, '1.0.0');
  });
  afterEach(async () => {
    await scene.close();
    await registry.stop();
  });

  async function tag(repository: string, ...tags: readonly string[]): Promise<void> {
    const store = registry.repository(repository);
    await pushBuilt(store, image);
    for (const name of tags) await store.putTag(name as Tag, image.manifest);
  }

  async function untag(...tags: readonly string[]): Promise<void> {
    for (const name of tags) await registry.repository(app).untag(name as Tag);
  }

  /** Links every page of tags to one more. */
  const onAnotherPage = (onPage: (page: number) => ReturnType<FaultRule>): FaultRule => {
    let page = 0;
    return ({ path }) => {
      if (path !== tagsOf(app)) return undefined;
      page += 1;
      return { headers: { link: `<${tagsOf(app)}?n=1000&page=${page}>; rel="next"` }, ...onPage(page) };
    };
  };

  it.each<[string, string, () => FaultRule]>([
    ['a list that fails', 'unavailable', () => failing(500, tagsOf(app))],
    ['a list that fails on its third page', 'unavailable', () => onAnotherPage((page) => (page === 3 ? { status: 502 } : undefined))],
    [
      'a list that breaks off',
      'unreachable',
      () =>
        ({ path }) =>
          cutOff(path),
    ],
    ['a list without end', 'protocol', () => onAnotherPage(() => undefined)],
    ['a list that may not be read', 'denied', () => failing(403, tagsOf(app))],
  ])('takes nothing from %s, and goes on with the next repository', async (_what, code, fault) => {
    await tag(app, ...numbered(3));
    await scene.crawl('full');
    const before = await scene.tags(app);
    await untag('v1');
    await tag(neighbour, '2.0.0');
    registry.fault = fault();

    const ended = await scene.crawl('full');

    expect(ended).toMatchObject({ state: 'partial', problem: null });
    expect(await scene.tags(app)).toEqual(before);
    expect(await scene.repository(app)).toMatchObject({ state: 'unreadable', problem: { code } });
    expect(await scene.present(neighbour)).toEqual(['1.0.0', '2.0.0']);
  });

  it('goes on with the next repository where one cannot be written down', async () => {
    await tag(app, '1.0.0');
    const { tables } = scene.recorded.database;
    await tables.$executeRaw`CREATE FUNCTION refuse_app() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NEW.repository = 'team-a/app' THEN RAISE EXCEPTION 'too much of it'; END IF; RETURN NEW; END $$`;
    await tables.$executeRaw`CREATE TRIGGER refuse_app BEFORE INSERT ON tag_event FOR EACH ROW EXECUTE FUNCTION refuse_app()`;

    expect(await scene.crawl('full')).toMatchObject({ state: 'partial', problem: null });

    expect(await scene.repository(app)).toMatchObject({
      state: 'unreadable',
      problem: { code: 'not-written' },
      lastFullCrawlStartedAt: null,
    });
    expect(await scene.present(neighbour)).toEqual(['1.0.0']);
    await tables.$executeRaw`DROP TRIGGER refuse_app ON tag_event`;
    await scene.crawl('full');
    expect(await scene.present(app)).toEqual(['1.0.0']);
  });

  it('knows the repository again when its list can be read', async () => {
    await tag(app, '1.0.0');
    registry.fault = failing(500, tagsOf(app));
    await scene.crawl('full');
    expect(await scene.repository(app)).toMatchObject({ state: 'unreadable', lastListedAt: null, lastFullCrawlStartedAt: null });
    registry.fault = undefined;

    await scene.crawl('full');

    expect(await scene.repository(app)).toMatchObject({ state: 'known', problem: null, lastFullCrawlStartedAt: expect.any(Date) });
  });

  it('changes nothing when the catalogue fails', async () => {
    await tag(app, '1.0.0');
    registry.fault = failing(503, '/v2/_catalog');

    expect(await scene.crawl('full')).toMatchObject({ state: 'failed', problem: { code: 'unavailable' } });
    expect(await scene.repository(app)).toBeNull();
  });

  it('takes repositories from the records where there is no catalogue, and says so', async () => {
    await tag(app, '1.0.0');
    await scene.recorded.request(image.manifest);
    registry.fault = failing(404, '/v2/_catalog');

    const ended = await scene.crawl('full');

    expect(ended).toMatchObject({ state: 'complete', listed_from: 'records', problem: { code: 'not-found' } });
    expect(await scene.present(app)).toEqual(['1.0.0']);
    expect(await scene.repository(neighbour)).toBeNull();
  });

  it('leaves a registry alone that fails everywhere', async () => {
    const many = Array.from({ length: 12 }, (_, number) => `many/${number}`);
    for (const name of many) await tag(name, '1.0.0');
    registry.fault = failing(403, '/v2/many', `/v2/${neighbour}`);
    registry.requests.length = 0;

    expect(await scene.crawl('full')).toMatchObject({ state: 'failed', problem: { code: 'denied' } });
    expect(registry.requests.filter((request) => request.includes('/tags/list')).length).toBeLessThan(12);
  });

  describe('that lost most of its tags', () => {
    beforeEach(async () => {
      await tag(app, ...numbered(20));
      await scene.crawl('full');
      await untag(...numbered(20).slice(4));
    });

    it('believes it from a full crawl that says the same later, and from nothing else', async () => {
      const ended = await scene.crawl('full');
      expect(ended.found).toMatchObject({ suspect: 1 });
      expect(await scene.present(app)).toHaveLength(20);
      expect(await scene.repository(app)).toMatchObject({ state: 'suspect', problem: { code: 'lost-too-much' }, goneAt: null });
      await scene.crawl('full');
      expect(await scene.present(app)).toHaveLength(20);
      await scene.passTime();
      await scene.crawl('quick');
      expect(await scene.present(app)).toHaveLength(20);

      await scene.crawl('full');

      expect(await scene.present(app)).toEqual(['v0', 'v1', 'v2', 'v3']);
      expect(await scene.repository(app)).toMatchObject({ state: 'known', suspectSince: null, problem: null });
    });

    it('forgets its suspicion when they are back', async () => {
      await scene.crawl('quick');
      await tag(app, ...numbered(20));

      await scene.crawl('quick');

      expect(Object.values(await scene.tags(app)).filter(({ isGone, isMissing }) => isGone || isMissing)).toEqual([]);
      expect(await scene.repository(app)).toMatchObject({ state: 'known', suspectSince: null });
    });

    it('does not let an error confirm it', async () => {
      await scene.crawl('full');
      await scene.passTime();
      registry.fault = failing(500, tagsOf(app));

      await scene.crawl('full');

      expect(await scene.present(app)).toHaveLength(20);
      expect(await scene.repository(app)).toMatchObject({ state: 'suspect', problem: { code: 'unavailable' } });
    });
  });

  describe('that knows a repository no more', () => {
    beforeEach(async () => {
      await tag(app, ...numbered(3));
      await scene.crawl('full');
      registry.fault = failing(404, `/v2/${app}/`, '/v2/_catalog');
    });

    it('believes it when it is said again later by a full crawl', async () => {
      await scene.crawl('full');
      await scene.crawl('full');
      expect(await scene.repository(app)).toMatchObject({ state: 'suspect', problem: { code: 'looks-gone' } });
      expect(await scene.present(app)).toHaveLength(3);
      await scene.passTime();
      await scene.crawl('quick');
      expect(await scene.present(app)).toHaveLength(3);

      const ended = await scene.crawl('full');

      expect(ended.found).toMatchObject({ gone: 1, tagsGone: 3 });
      expect(await scene.repository(app)).toMatchObject({ state: 'gone', goneAt: expect.any(Date), tagCount: 0 });
      expect(await scene.present(app)).toEqual([]);
      expect(await scene.placed(app)).toEqual([]);
    });

    it('takes it back when it is there again', async () => {
      await scene.crawl('full');
      await scene.passTime();
      await scene.crawl('full');
      registry.fault = undefined;

      await scene.crawl('full');

      expect(await scene.repository(app)).toMatchObject({ state: 'known', goneAt: null, tagCount: 3 });
      expect(await scene.placed(app)).toEqual([image.manifest.digest]);
    });

    it('takes one without tags for empty when its manifests can be read', async () => {
      registry.fault = failing(404, tagsOf(app));

      await scene.crawl('full');

      expect(await scene.present(app)).toEqual([]);
      expect(await scene.placed(app)).toEqual([image.manifest.digest]);
      expect(await scene.repository(app)).toMatchObject({ state: 'known', tagCount: 0, manifestCount: 1 });
    });

    it('keeps an emptied one that the catalogue goes on to name', async () => {
      registry.fault = failing(404, `/v2/${app}/`);
      await scene.crawl('full');
      await scene.passTime();

      await scene.crawl('full');

      expect(await scene.repository(app)).toMatchObject({ state: 'known', tagCount: 0, manifestCount: 0 });
    });
  });

  it('notes a manifest that cannot be read, and tries it again', async () => {
    await tag(app, '1.0.0');
    const index = buildIndex([image, other]);
    await pushBuilt(registry.repository(app), index);
    await registry.repository(app).putTag('multi' as Tag, index.manifest);
    registry.fault = failing(500, `/v2/${app}/manifests/${other.manifest.digest}`);

    expect(await scene.crawl('full')).toMatchObject({ state: 'complete', found: { manifestsUnreadable: 1 } });
    expect(await scene.repository(app)).toMatchObject({ state: 'known', unreadableManifests: 1, manifestCount: 2 });
    registry.fault = undefined;
    await scene.crawl('full');

    expect(await scene.repository(app)).toMatchObject({ unreadableManifests: 0, manifestCount: 3 });
  });

  it('leaves a tag as it was that fails alone, and says that it has not seen all', async () => {
    await tag(app, '1.0.0', 'broken');
    await scene.crawl('full');
    const before = await scene.repository(app);
    await registry.repository(app).putTag('1.0.0' as Tag, image.manifest);
    await pushBuilt(registry.repository(app), other);
    await registry.repository(app).putTag('1.0.0' as Tag, other.manifest);
    registry.fault = failing(500, `/v2/${app}/manifests/broken`);

    expect(await scene.crawl('full')).toMatchObject({ state: 'partial' });

    expect(await scene.tags(app)).toMatchObject({ '1.0.0': { digest: other.manifest.digest }, broken: { digest: image.manifest.digest } });
    expect(await scene.repository(app)).toMatchObject({
      state: 'unreadable',
      problem: { code: 'tags-unreadable' },
      lastFullCrawlStartedAt: before?.lastFullCrawlStartedAt,
    });
  });

  it('refuses bytes that are not what they were asked for', async () => {
    await tag(app, '1.0.0');
    registry.fault = ({ path, method }) =>
      method === 'GET' && path === `/v2/${app}/manifests/${image.manifest.digest}` ? { corrupt: true } : undefined;

    await scene.crawl('full');

    expect(await scene.recorded.database.tables.unreadableManifest.findMany()).toMatchObject([{ problem: { code: 'digest-mismatch' } }]);
  });
});

function cutOff(path: string): ReturnType<FaultRule> {
  return path === tagsOf(app) ? { interrupt: { afterBytes: 5, by: 'reset', of: 'answer' } } : undefined;
}
