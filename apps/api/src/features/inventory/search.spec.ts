import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Artifact, SearchResults } from '@waybill/contracts/http';
import { type ApiUnderTest, problemIn, startApi } from '../../api-under-test.spec-helper.js';
import { indexType, seedInventory } from './inventory.spec-helper.js';

const root = '/api/v1/search';
const hexOf = (name: string): string => createHash('sha256').update(name).digest('hex');
const index = `sha256:${hexOf('index')}`;

describe('a search', () => {
  let api: ApiUnderTest;

  beforeAll(async () => {
    api = await startApi();
    await seedInventory(api);
  });
  afterAll(() => api.stop());

  async function search(query: Readonly<Record<string, string>>, key?: string): Promise<SearchResults> {
    const answer = await api.send('GET', `${root}?${new URLSearchParams(query).toString()}`, key === undefined ? {} : { key });
    if (answer.status !== 200) throw new Error(answer.text);
    return answer.body as SearchResults;
  }

  /** Everything that is found, one at a time. */
  async function all(query: Readonly<Record<string, string>>, key?: string): Promise<string[]> {
    const names: string[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined;) {
      const page: SearchResults = await search({ ...query, limit: '1', ...(cursor === '' ? {} : { cursor }) }, key);
      names.push(
        ...page.repositories.map(({ registry, repository }) => `${registry}/${repository}`),
        ...page.tags.map(({ registry, repository, tag }) => `${registry}/${repository}:${tag}`),
        ...page.artifacts.map(({ digest }) => digest),
      );
      cursor = page.next;
    }
    return names;
  }

  it.each<[string, Record<string, string>, string[]]>([
    ['a repository', { repository: 'team-a/app' }, ['ci/team-a/app']],
    [
      'repositories that begin so, in whatever state',
      { repository: 'team-*' },
      ['app', 'tags'].map((name) => `ci/team-a/${name}`).concat(['ci/team-b/app', 'ci/team-c/app', 'ci/team-d/app']),
    ],
    ['a repository that is none', { repository: 'team-a' }, []],
    ['a tag', { tag: '1.0.0' }, ['ci/team-a/app:1.0.0']],
    ['tags that begin so', { tag: '1.*' }, ['ci/team-a/app:1.0.0', 'ci/team-a/app:1.1.0']],
    ['a tag that is gone', { tag: 'Old' }, []],
    ['a tag that is reserved', { tag: 'sha256-*' }, []],
    ['a tag of a repository', { tag: '1.*', repository: 'team-a/app' }, ['ci/team-a/app:1.0.0', 'ci/team-a/app:1.1.0']],
    ['a tag of another repository', { tag: '1.*', repository: 'team-b*' }, []],
    ['an annotation', { annotation: 'team=a' }, [index]],
    ['an annotation of another value', { annotation: 'team=' }, []],
    ['a digest', { digest: index }, [index]],
    ['how a digest begins', { digest: hexOf('index').slice(0, 7) }, [index]],
    ['a digest of no manifest', { digest: `sha256:${hexOf('layer')}` }, [`sha256:${hexOf('layer')}`]],
    ['a digest that is nowhere', { digest: `sha256:${hexOf('nothing')}` }, []],
    ['a digest of another algorithm', { digest: `sha512:${hexOf('index').slice(0, 7)}` }, []],
    ['an annotation, a tag and a repository', { annotation: 'team=a', tag: '1.1*', repository: 'team-a/*' }, [index]],
    ['an annotation and a tag that names it not', { annotation: 'team=a', tag: 'Old' }, []],
    ['an annotation and another repository', { annotation: 'team=a', repository: 'team-b/*' }, []],
    ['an annotation and another digest', { annotation: 'team=a', digest: 'sha256:00' }, []],
  ])('finds %s', async (_what, query, expected) => {
    expect(await all(query)).toEqual(expected);
  });

  it('says of an artifact what it is and where', async () => {
    expect(await search({ annotation: 'team=a', tag: '1.1.0' })).toEqual({
      found: 'artifacts',
      repositories: [],
      tags: [],
      artifacts: [
        {
          ...{ digest: index, mediaType: indexType, size: 700 },
          facts: expect.objectContaining({ annotations: { team: 'a' } }),
          places: [{ registry: 'ci', repository: 'team-a/app', tags: ['1.1.0'] }],
          morePlaces: false,
        },
      ],
    });
  });

  it('says of a tag in which state its repository is', async () => {
    expect((await search({ tag: '1.0.0' })).tags).toMatchObject([{ state: 'known', digest: index, mediaType: indexType, source: 'crawl' }]);
  });

  it.each<[string, Record<string, string>]>([
    ['a repository', { repository: 'team-*' }],
    ['a tag', { tag: '1.*' }],
    ['a tag of a repository', { tag: '1.*', repository: 'team-*' }],
    ['an annotation', { annotation: 'team=a' }],
    ['a digest', { digest: index }],
  ])('by %s finds nothing that the key may not read', async (_what, query) => {
    const ofA = await api.keyWith([{ verbs: ['artifacts:read'], paths: ['*'], repositories: ['team-a/**'] }]);
    const ofOthers = await api.keyWith([{ verbs: ['artifacts:read'], paths: ['*'], repositories: ['*', 'nothing/**'] }]);

    expect((await all(query, ofA)).length).toBeGreaterThan(0);
    expect((await all(query, ofA)).every((name) => name.startsWith('ci/team-a/') || name === index)).toBe(true);
    expect(await all(query, ofOthers)).toEqual([]);
  });

  describe('by digest at its own address', () => {
    const about = (name: string) => `/api/v1/artifacts/sha256:${hexOf(name)}`;

    it('tells what its manifest says, which blobs are shared, and how it is known what refers to it', async () => {
      const { inventory } = (await api.send('GET', about('index'))).body as Artifact;

      expect(inventory?.facts).toMatchObject({
        annotations: { team: 'a' },
        platforms: [{ os: 'linux', architecture: 'arm', variant: 'v7' }],
      });
      expect(inventory?.referrers).toEqual([
        {
          ...{ digest: `sha256:${hexOf('sig')}`, mediaType: expect.any(String), size: 300 },
          ...{ artifactType: 'application/example.sig', ways: ['subject', 'cosign-tag'] },
        },
      ]);
      expect(((await api.send('GET', about('image'))).body as Artifact).inventory?.blobs).toEqual([
        { digest: `sha256:${hexOf('layer')}`, mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', size: 9000, sharing: 1 },
      ]);
    });

    it('tells nothing of what the key may not read', async () => {
      const key = await api.keyWith([{ verbs: ['artifacts:read'], paths: ['*'], repositories: ['team-b/**'] }]);
      const ofOthers = async (name: string) => ((await api.send('GET', about(name), { key })).body as Artifact).inventory;

      expect(await ofOthers('index')).toEqual({ blobs: [], referrers: [] });
      expect(await ofOthers('image')).toEqual({ blobs: [], referrers: [] });
    });

    it('knows nothing of a digest that nobody has seen', async () => {
      expect(((await api.send('GET', about('nothing'))).body as Artifact).inventory).toEqual({ blobs: [], referrers: [] });
    });
  });

  it.each<[string, string]>([
    ['nothing', ''],
    ['what is no repository', 'repository=Team'],
    ['a wildcard in the middle', 'repository=team-*/app'],
    ['an annotation without a value', 'annotation=team'],
    ['digits that are too few', 'digest=ab'],
    ['what is no digest', 'digest=sha256:xyz'],
    ['a word that is unknown', 'label=a'],
    ['a cursor of another search', 'tag=1.*&cursor=MTIz'],
  ])('for %s is refused', async (_what, query) => {
    expect(problemIn(await api.send('GET', `${root}?${query}`))).toMatchObject({ status: 422, code: 'request-invalid' });
  });
});
