import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Grant } from '@waybill/access';
import type {
  AcceptedCrawl,
  Crawl,
  CrawlList,
  InventoryManifestList,
  InventoryRepositoryList,
  InventoryTagHistory,
  InventoryTagList,
} from '@waybill/contracts/http';
import { CrawlSchedules, Database } from '@waybill/persistence';
import { type Answer, type ApiUnderTest, problemIn, startApi } from '../../api-under-test.spec-helper.js';
import { indexType, seedInventory } from './inventory.spec-helper.js';

const root = '/api/v1/registries/ci/repositories';
describe('the inventory', () => {
  let api: ApiUnderTest;

  beforeAll(async () => {
    api = await startApi();
  });
  afterAll(() => api.stop());

  const get = async <Body>(path: string, key?: string): Promise<Body> => {
    const answer = await api.send('GET', path, key === undefined ? {} : { key });
    if (answer.status !== 200) throw new Error(answer.text);
    return answer.body as Body;
  };
  const reader = (...repositories: string[]): Promise<string> =>
    api.keyWith([{ verbs: ['artifacts:read'], paths: ['*'], repositories } satisfies Grant]);

  it('needs a topology', async () => {
    expect(problemIn(await api.send('GET', root))).toMatchObject({ status: 409, code: 'no-topology' });
  });

  describe('of a topology', () => {
    beforeAll(async () => {
      await seedInventory(api);
    });

    it('says of each repository in which state it is, since when and why', async () => {
      const { repositories, newestCrawl } = await get<InventoryRepositoryList>(root);

      expect(newestCrawl).toBeUndefined();
      expect(repositories.map(({ repository, state }) => [repository, state])).toEqual([
        ['team-a/app', 'known'],
        ['team-a/tags', 'known'],
        ['team-b/app', 'suspect'],
        ['team-c/app', 'gone'],
        ['team-d/app', 'unreadable'],
      ]);
      expect(repositories[4]).toMatchObject({
        problem: { code: 'unauthorized', message: 'the registry refuses our key' },
        since: expect.any(String),
        listedAt: '2026-05-01T10:00:00.000Z',
        tags: 3,
      });
      for (const { since } of repositories) expect(Number.isNaN(Date.parse(since))).toBe(false);
    });

    it('pages through repositories, by prefix and state', async () => {
      const first = await get<InventoryRepositoryList>(`${root}?limit=2`);
      const second = await get<InventoryRepositoryList>(`${root}?limit=2&cursor=${first.next ?? ''}`);
      const third = await get<InventoryRepositoryList>(`${root}?limit=2&cursor=${second.next ?? ''}`);

      expect([first, second, third].flatMap(({ repositories }) => repositories.map(({ repository }) => repository))).toEqual([
        'team-a/app',
        'team-a/tags',
        'team-b/app',
        'team-c/app',
        'team-d/app',
      ]);
      expect(third.next).toBeUndefined();
      expect((await get<InventoryRepositoryList>(`${root}?prefix=team-a/`)).repositories).toHaveLength(2);
      expect((await get<InventoryRepositoryList>(`${root}?state=gone`)).repositories.map(({ repository }) => repository)).toEqual([
        'team-c/app',
      ]);
    });

    it('shows a key only repositories that it may read, in pages that are full', async () => {
      const seen = async (limit: number, ...patterns: string[]): Promise<string[][]> => {
        const key = await reader(...patterns);
        const pages: string[][] = [];
        for (let next: string | undefined = ''; next !== undefined;) {
          const page: InventoryRepositoryList = await get(`${root}?limit=${limit}${next === '' ? '' : `&cursor=${next}`}`, key);
          pages.push(page.repositories.map(({ repository }) => repository));
          next = page.next;
        }
        return pages;
      };

      expect(await seen(2, 'team-d/app', '*/tags', 'team-b/**')).toEqual([['team-a/tags', 'team-b/app'], ['team-d/app']]);
      expect(await seen(1, 'team-d/app', 'team-b/app')).toEqual([['team-b/app'], ['team-d/app']]);
      expect(await seen(50, 'elsewhere/**')).toEqual([[]]);
    });

    it('lists tags with what they name, reserved ones only when asked', async () => {
      const { repository, tags } = await get<InventoryTagList>(`${root}/team-a/app/tags`);

      expect(repository).toMatchObject({ registry: 'ci', repository: 'team-a/app', state: 'known' });
      expect(tags.map(({ tag, source, mediaType, size }) => [tag, source, mediaType, size])).toEqual([
        ['1.0.0', 'crawl', indexType, 700],
        ['1.1.0', 'crawl', indexType, 700],
      ]);
      const all = await get<InventoryTagList>(`${root}/team-a%2Fapp/tags?reserved=show&prefix=sha`);
      expect(all.tags.map(({ reserved }) => reserved)).toEqual([true]);
    });

    it('pages through tags of all kinds in one order', async () => {
      const names: string[] = [];
      for (let next: string | undefined = ''; next !== undefined;) {
        const page: InventoryTagList = await get(`${root}/team-a/app/tags?reserved=show&limit=1${next === '' ? '' : `&cursor=${next}`}`);
        names.push(...page.tags.map(({ tag }) => tag.slice(0, 6)));
        next = page.next;
      }

      expect(names).toEqual(['1.0.0', '1.1.0', 'sha256']);
    });

    it('tells what a tag named, also of one that is gone', async () => {
      const moved = await get<InventoryTagHistory>(`${root}/team-a/app/tags/1.0.0/history?limit=1`);
      const before = await get<InventoryTagHistory>(`${root}/team-a/app/tags/1.0.0/history?limit=1&cursor=${moved.next ?? ''}`);
      const gone = await get<InventoryTagHistory>(`${root}/team-a/app/tags/Old/history`);

      expect(moved.events[0]).toMatchObject({ at: '2026-04-30T00:00:00.000Z', previous: before.events[0]?.digest });
      expect(before.next).toBeUndefined();
      expect(gone.events.map(({ digest }) => digest === undefined)).toEqual([true, false]);
      expect((await get<InventoryTagHistory>(`${root}/team-a/app/tags/never/history`)).events).toEqual([]);
    });

    it('lists manifests with what they say, when they were seen and what names them, and no blob', async () => {
      const { artifacts, unreadable, next } = await get<InventoryManifestList>(`${root}/team-a/app/artifacts`);

      expect(next).toBeUndefined();
      const index = artifacts.find(({ mediaType, tags }) => mediaType === indexType && tags.includes('1.0.0' as never));
      expect(index).toMatchObject({
        size: 700,
        tags: ['1.0.0', '1.1.0'],
        moreTags: false,
        facts: {
          createdAt: '2026-04-01T00:00:00.000Z',
          platforms: [{ os: 'linux', architecture: 'arm', variant: 'v7' }],
          annotations: { team: 'a' },
        },
        firstSeenAt: '2026-04-30T00:00:00.000Z',
        lastSeenAt: '2026-05-01T10:00:00.000Z',
        pushedAt: '2026-04-30T09:00:00.000Z',
        pushedSource: 'notification',
        lastPulledAt: '2026-05-02T00:00:00.000Z',
      });
      expect(artifacts.map(({ size }) => size).sort()).toEqual([200, 300, 500, 700]);
      expect(artifacts.find(({ size }) => size === 200)?.facts).toBeUndefined();
      expect(artifacts.find(({ size }) => size === 300)).toMatchObject({
        facts: { artifactType: 'application/example.sig', subject: index?.digest },
        lastSeenAt: '2026-06-01T00:00:00.000Z',
      });
      expect(unreadable).toMatchObject([{ problem: { code: 'not-found' } }]);
    });

    it('tells tagged manifests from others, page by page', async () => {
      const sizes = async (state: string): Promise<number[]> => {
        const found: number[] = [];
        for (let next: string | undefined = ''; next !== undefined;) {
          const page: InventoryManifestList = await get(
            `${root}/team-a/app/artifacts?state=${state}&limit=1${next === '' ? '' : `&cursor=${next}`}`,
          );
          found.push(...page.artifacts.map(({ size }) => size));
          next = page.next;
        }
        return found.sort();
      };

      expect(await sizes('tagged')).toEqual([300, 700]);
      expect(await sizes('untagged')).toEqual([200, 500]);
      expect(await sizes('all')).toEqual([200, 300, 500, 700]);
    });

    it('takes a repository that is named like a route for what it is', async () => {
      expect((await get<InventoryTagList>(`${root}/team-a/tags/tags`)).repository.repository).toBe('team-a/tags');
    });

    it('says of what is gone that it is, and not that it is empty', async () => {
      expect((await get<InventoryTagList>(`${root}/team-c/app/tags`)).repository).toMatchObject({
        state: 'gone',
        since: expect.any(String),
      });
    });

    const ofList = (answer: Answer) => problemIn(answer);
    it.each<[string, string, number, string]>([
      ['a registry that is unknown', '/api/v1/registries/cii/repositories', 404, 'registry-unknown'],
      ['a repository that nobody has seen', `${root}/team-a/nothing/tags`, 404, 'repository-unknown'],
      ['what is no repository', `${root}/Team/tags`, 422, 'reference-invalid'],
      ['what is no tag', `${root}/team-a/app/tags/-/history`, 422, 'reference-invalid'],
      ['a cursor of another list', `${root}?cursor=MTIz!`, 422, 'request-invalid'],
      ['a state that is none', `${root}?state=empty`, 422, 'request-invalid'],
      ['the beginning of no name', `${root}?prefix=%F4%8F%BF%BF`, 422, 'request-invalid'],
      ['a page that is too large', `${root}/team-a/app/artifacts?limit=201`, 422, 'request-invalid'],
    ])('refuses %s', async (_what, path, status, code) => {
      expect(ofList(await api.send('GET', path))).toMatchObject({ status, code });
    });

    it('refuses a repository that the key may not read', async () => {
      const key = await reader('team-b/**');

      for (const list of ['tags', 'artifacts', 'tags/1.0.0/history']) {
        expect(problemIn(await api.send('GET', `${root}/team-a/app/${list}`, { key }))).toMatchObject({ status: 403, code: 'forbidden' });
      }
    });

    describe('and its crawls', () => {
      const crawls = '/api/v1/registries/ci/crawls';
      beforeAll(() =>
        new CrawlSchedules(api.app.get(Database)).declare([{ name: 'ci', location: 'eu', quickMs: 900_000, fullMs: 86_400_000 }]),
      );

      it('are asked for once at a time, read and listed', async () => {
        const headers = { 'idempotency-key': 'look' };
        const made = await api.post(crawls, { kind: 'full' }, { headers });
        const { id } = made.body as AcceptedCrawl;

        expect(made.status).toBe(202);
        expect(made.headers.get('location')).toBe(`${crawls}/${id}`);
        expect(made.body).toEqual({ id, kind: 'full', isNew: true });
        expect((await api.post(crawls, { kind: 'full' }, { headers })).text).toBe(made.text);
        expect((await api.post(crawls, {})).body).toEqual({ id, kind: 'full', isNew: false });
        expect(await get<Crawl>(`${crawls}/${id}`)).toMatchObject({ registry: 'ci', kind: 'full', state: 'queued', left: 0, found: {} });
        expect((await get<CrawlList>(crawls)).crawls.map((crawl) => crawl.id)).toEqual([id]);
        expect((await get<InventoryRepositoryList>(root)).newestCrawl).toMatchObject({ id });
      });

      it.each<[string, string, object, number, string]>([
        ['of a registry that is not crawled', '/api/v1/registries/docker-hub/crawls', {}, 409, 'registry-not-crawled'],
        ['of a registry that is unknown', '/api/v1/registries/nothing/crawls', {}, 404, 'registry-unknown'],
        ['of a kind that is none', crawls, { kind: 'deep' }, 422, 'request-invalid'],
      ])('are not asked for %s', async (_what, path, body, status, code) => {
        expect(problemIn(await api.post(path, body))).toMatchObject({ status, code });
      });

      it('are unknown under an id that nobody made, and under another registry’s name', async () => {
        const [crawl] = (await get<CrawlList>(crawls)).crawls;
        for (const path of [
          `${crawls}/nothing`,
          `${crawls}/01900000-0000-7000-8000-000000000000`,
          `/api/v1/registries/prod/crawls/${crawl?.id ?? ''}`,
        ]) {
          expect(problemIn(await api.send('GET', path))).toMatchObject({ status: 404, code: 'crawl-unknown' });
        }
      });
    });
  });
});
