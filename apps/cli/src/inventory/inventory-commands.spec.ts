import { describe, expect, it } from '@jest/globals';
import type {
  Artifact,
  Crawl,
  InventoryManifestList,
  InventoryRepositoryList,
  InventoryTagHistory,
  InventoryTagList,
  SearchResults,
} from '@waybill/contracts/http';
import { parseTag } from '@waybill/oci-model';
import { problem, promotionId as id, scriptedApi, waybill } from '../scripted-api.spec-helper.js';

const root = '/api/v1/registries/prod';
const since = '2026-05-01T10:00:00Z';
const digest = `sha256:${'ab'.repeat(32)}` as const;
const third = `sha256:${'ef'.repeat(32)}` as const;
const other = `sha256:${'cd'.repeat(32)}` as const;

const repository = {
  ...{ registry: 'prod', repository: 'team-a/app', state: 'known', since, firstSeenAt: since, listedAt: since, fullCrawlAt: since },
  ...{ tags: 2, manifests: 3, unreadableManifests: 0 },
} as const satisfies InventoryTagList['repository'];
const unreadable = {
  ...repository,
  ...{
    repository: 'team-b/app',
    state: 'unreadable',
    problem: { code: 'unauthorized', message: 'the registry refuses our key' },
    unreadableManifests: 1,
  },
} as const satisfies InventoryTagList['repository'];

function tagNamed(name: string): InventoryTagList['tags'][number] {
  return { tag: parseTag(name), digest: digest as never, taggedAt: since, source: 'crawl', firstSeenAt: since, reserved: false };
}

const crawl: Crawl = {
  ...{ id, registry: 'prod', kind: 'full', state: 'partial', location: 'eu', requestedAt: since, left: 0, finishedAt: since },
  ...{ requests: { GET: 3 }, found: { repositories: 2, failed: 1 } },
};

describe('waybill inventory', () => {
  it('registries shows when each was looked at', async () => {
    const registries = ['prod', 'ci'].map((name) => ({ name, role: 'prod', local: true, capabilities: [] }));
    const api = await scriptedApi({
      'GET /api/v1/registries': { body: { revision: 1, registries } },
      [`GET ${root}/crawls`]: { body: { crawls: [crawl] } },
      'GET /api/v1/registries/ci/crawls': { body: { crawls: [] } },
    });

    const { stdout } = await waybill(['inventory', 'registries'], { api: api.url });

    expect(stdout).toMatch(new RegExp(`^prod +prod +full +partial +${since}$`, 'm'));
    expect(stdout).toMatch(/^ci +prod +– +never looked at$/m);
    const json = JSON.parse((await waybill(['inventory', 'registries', '--json'], { api: api.url })).stdout) as { registries: unknown[] };
    expect(json.registries).toEqual([
      { registry: 'prod', role: 'prod', newestCrawl: crawl },
      { registry: 'ci', role: 'prod' },
    ]);
  });

  it('repositories says which could not be looked at, since when and why', async () => {
    const page: InventoryRepositoryList = { newestCrawl: crawl, repositories: [repository, unreadable] };
    const api = await scriptedApi({ [`GET ${root}/repositories`]: { body: page } });

    const { stdout } = await waybill(['inventory', 'repositories', 'prod', '--prefix', 'team-', '--state', 'unreadable'], { api: api.url });

    expect(stdout).toMatch(new RegExp(`^team-a/app +known +${since} +2 +3 +${since} +${since}$`, 'm'));
    expect(stdout).toMatch(/^team-b\/app +unreadable .* the registry refuses our key$/m);
    expect(Object.fromEntries(api.asked[0]?.query ?? [])).toEqual({ prefix: 'team-', state: 'unreadable', limit: '50' });
  });

  it('repositories tells a registry that nobody has looked at from an empty one', async () => {
    const api = await scriptedApi({ [`GET ${root}/repositories`]: { body: { repositories: [] } } });

    expect((await waybill(['inventory', 'repositories', 'prod'], { api: api.url })).stdout).toBe(
      'nobody has looked at this registry yet: see waybill inventory crawl\nno repository that this key may read is known there\n',
    );
  });

  const tagPages = (): Record<string, () => { body: InventoryTagList }> => {
    const pages: InventoryTagList[] = [
      { repository: unreadable, tags: [tagNamed('1.0.0')], next: 'more' },
      { repository: unreadable, tags: [], next: 'still' },
      { repository: unreadable, tags: [tagNamed('1.1.0'), tagNamed('1.2.0')] },
    ];
    return { [`GET ${root}/repositories/team-b/app/tags`]: () => ({ body: pages.shift() ?? { repository: unreadable, tags: [] } }) };
  };

  it('tags follows short pages, and says what was seen before', async () => {
    const api = await scriptedApi(tagPages());

    const { stdout } = await waybill(['inventory', 'tags', 'prod/team-b/app', '--limit', '2', '--reserved'], { api: api.url });

    expect(stdout).toContain(
      `unreadable since ${since}: the registry refuses our key; what follows was seen before\n1 manifests cannot be read\n`,
    );
    expect(stdout).toMatch(new RegExp(`^1\\.1\\.0 +${digest} +${since} +crawl$`, 'm'));
    expect(stdout).not.toContain('1.2.0');
    expect(stdout).toContain('there are more: see --limit and --all\n');
    expect(api.asked.map(({ query }) => [query.get('limit'), query.get('reserved'), query.get('cursor')])).toEqual([
      ['2', 'show', null],
      ['2', 'show', 'more'],
      ['2', 'show', 'still'],
    ]);
  });

  it('tags gives programs what the API says, and whether there is more', async () => {
    const api = await scriptedApi(tagPages());

    const { stdout } = await waybill(['inventory', 'tags', 'prod/team-b/app', '--limit', '2', '--json'], { api: api.url });

    expect(JSON.parse(stdout)).toEqual({ repository: unreadable, tags: [tagNamed('1.0.0'), tagNamed('1.1.0')], hasMore: true });
  });

  it('tags --all prints every row as it comes, for programs one a line', async () => {
    const people = await waybill(['inventory', 'tags', 'prod/team-b/app', '--all'], { api: (await scriptedApi(tagPages())).url });
    const programs = await waybill(['inventory', 'tags', 'prod/team-b/app', '--all', '--json'], {
      api: (await scriptedApi(tagPages())).url,
    });

    expect(people.stdout.match(/^1\.\d\.0/gm)).toEqual(['1.0.0', '1.1.0', '1.2.0']);
    expect(people.stdout.match(/^tag /gm)).toHaveLength(1);
    expect(
      programs.stdout
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { tag: string }).tag),
    ).toEqual(['1.0.0', '1.1.0', '1.2.0']);
  });

  it('tags of one tag shows what it named', async () => {
    const page: InventoryTagHistory = {
      repository,
      tag: parseTag('latest'),
      events: [
        { at: since, previous: digest as never, source: 'crawl' },
        { at: '2026-04-01T10:00:00Z', digest: digest as never, source: 'effect' },
      ],
    };
    const api = await scriptedApi({ [`GET ${root}/repositories/team-a/app/tags/latest/history`]: { body: page } });

    const { stdout } = await waybill(['inventory', 'tags', 'prod/team-a/app:latest'], { api: api.url });

    expect(stdout).toMatch(new RegExp(`^${since} +gone +crawl$`, 'm'));
    expect(stdout).toMatch(new RegExp(`^2026-04-01T10:00:00Z +${digest} +effect$`, 'm'));
  });

  it.each<[string[], string]>([
    [[], 'all'],
    [['--tagged'], 'tagged'],
    [['--untagged'], 'untagged'],
  ])('artifacts %j asks for %s', async (options, state) => {
    const facts = {
      platforms: [{ os: 'linux', architecture: 'arm', variant: 'v7' }],
      annotations: {},
      blobBytes: 2048,
      createdProblem: 'epoch',
    } as const;
    const type = 'application/vnd.oci.image.manifest.v1+json';
    const page: InventoryManifestList = {
      repository,
      artifacts: [
        {
          digest: digest as never,
          mediaType: type,
          size: 10,
          facts: { ...facts, platforms: [...facts.platforms] },
          firstSeenAt: since,
          lastSeenAt: since,
          tags: [parseTag('1.0.0')],
          moreTags: true,
        },
        { digest: other as never, mediaType: type, size: 10, firstSeenAt: since, lastSeenAt: since, tags: [], moreTags: false },
      ],
      unreadable: [
        { digest: other as never, since, triedAt: since, problem: { code: 'not-found', message: 'the registry has it no more' } },
      ],
    };
    const api = await scriptedApi({ [`GET ${root}/repositories/team-a/app/artifacts`]: { body: page } });

    const { stdout } = await waybill(['inventory', 'artifacts', 'prod/team-a/app', ...options], { api: api.url });

    expect(api.asked[0]?.query.get('state')).toBe(state);
    expect(stdout).toMatch(new RegExp(`^${digest} +image\\.manifest\\.v1 +2\\.0 KiB +linux/arm/v7 +epoch +${since} +1\\.0\\.0,…$`, 'm'));
    expect(stdout).toMatch(new RegExp(`^${other} +image\\.manifest\\.v1 +not read yet`, 'm'));
    expect(stdout).toContain(`${other} cannot be read since ${since}: the registry has it no more\n`);
  });

  const nothing = { repositories: [], tags: [], artifacts: [] };
  it.each<[string[], SearchResults, RegExp]>([
    [
      ['--repository', 'team-*'],
      { ...nothing, found: 'repositories', repositories: [repository] },
      new RegExp(`^prod +team-a/app +known +${since}$`, 'm'),
    ],
    [
      ['--tag', '1.*'],
      {
        ...nothing,
        found: 'tags',
        tags: [{ ...repository, tag: parseTag('1.0.0'), digest: digest as never, taggedAt: since, source: 'crawl' }],
      },
      new RegExp(`^prod +team-a/app +1\\.0\\.0 +${digest} +${since} +known$`, 'm'),
    ],
    [
      ['--annotation', 'team=a'],
      {
        ...nothing,
        found: 'artifacts',
        artifacts: [
          {
            ...{ digest: digest as never, mediaType: 'application/vnd.oci.image.index.v1+json', size: 10, morePlaces: true },
            places: [{ registry: 'prod', repository: 'team-a/app', tags: [parseTag('1.0.0')] }],
          },
        ],
      },
      new RegExp(`^${digest} +image\\.index\\.v1 +prod/team-a/app:1\\.0\\.0 …$`, 'm'),
    ],
    [['--digest', 'sha256:ab'], { ...nothing, found: 'artifacts' }, /^nothing of that is known in what this key may read$/m],
  ])('search %j shows what was found', async (options, page, expected) => {
    const api = await scriptedApi({ 'GET /api/v1/search': { body: page } });

    const { stdout, status } = await waybill(['inventory', 'search', ...options], { api: api.url });

    expect(status).toBe(0);
    expect(stdout).toMatch(expected);
    expect(api.asked[0]?.query.get(options[0]?.slice(2) ?? '')).toBe(options[1]);
  });

  it('show tells what an artifact is, where, what is in it and what refers to it', async () => {
    const type = 'application/vnd.oci.image.manifest.v1+json';
    const artifact: Artifact = {
      ...{ digest: digest as never, lookedAt: since, mediaType: type, size: 500 },
      ...{
        children: [{ digest: other as never, mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', size: 9000 }],
        parents: [],
        referrers: [],
      },
      inventory: {
        facts: { createdAt: since, platforms: [{ os: 'linux', architecture: 'amd64' }], annotations: { team: 'a' }, blobBytes: 9000 },
        blobs: [{ digest: other as never, mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', size: 9000, sharing: 10 }],
        referrers: [
          { digest: third as never, mediaType: type, size: 300, artifactType: 'application/example.sig', ways: ['subject', 'cosign-tag'] },
        ],
      },
      registries: [{ registry: 'prod', role: 'prod', state: 'absent', repositories: [] }],
    };
    const api = await scriptedApi({ [`GET /api/v1/artifacts/${encodeURIComponent(digest)}`]: { body: artifact } });

    const { stdout } = await waybill(['inventory', 'show', digest], { api: api.url });

    expect(stdout).toContain(`${digest}\n${type}, 500 B\ncreated: ${since}\nfor: linux/amd64\nteam=a\n`);
    expect(stdout).toMatch(/^prod +– +absent/m);
    expect(stdout).toMatch(new RegExp(`^${other} +image\\.layer\\.v1\\.tar\\+gzip +8\\.8 KiB +shared with 10 or more others$`, 'm'));
    expect(stdout).toMatch(new RegExp(`^referred to by:\\n${third} +application/example\\.sig +subject, cosign-tag$`, 'm'));
    expect(stdout).not.toContain('manifests in it');
    expect(JSON.parse((await waybill(['inventory', 'show', digest, '--json'], { api: api.url })).stdout)).toEqual(artifact);
  });

  it('crawl asks for a look at a registry', async () => {
    const api = await scriptedApi({ [`POST ${root}/crawls`]: { status: 202, body: { id, kind: 'full', isNew: true } } });

    const { stdout } = await waybill(['inventory', 'crawl', 'prod', '--full'], { api: api.url });

    expect(stdout).toBe(`crawl ${id} of prod is asked for; see how far it is with: waybill inventory crawls prod\n`);
    expect(api.asked[0]).toMatchObject({ body: { kind: 'full' } });
    expect(api.asked[0]?.headers['idempotency-key']).toBeDefined();
  });

  it('crawl --wait waits for the end, and says by its exit status what came of it', async () => {
    const { finishedAt: _, ...open } = crawl;
    const states: Crawl[] = [{ ...open, state: 'running' }, crawl];
    const api = await scriptedApi({
      [`POST ${root}/crawls`]: { status: 202, body: { id, kind: 'quick', isNew: false } },
      [`GET ${root}/crawls/${id}`]: () => ({ body: states.shift() }),
    });

    const { stdout, stderr, status } = await waybill(['inventory', 'crawl', 'prod', '--wait'], { api: api.url });

    expect(status).toBe(3);
    expect(stderr).toBe('a quick crawl of prod is open already\n');
    expect(stdout).toBe('prod: partial, repositories 2, failed 1\n');
  });

  it('crawls lists them', async () => {
    const api = await scriptedApi({ [`GET ${root}/crawls`]: { body: { crawls: [crawl] } } });

    expect((await waybill(['inventory', 'crawls', 'prod'], { api: api.url })).stdout).toMatch(
      new RegExp(`^${id} +full +partial +${since} +${since} +0 +repositories 2, failed 1$`, 'm'),
    );
  });

  it('says what the API says of a registry that is unknown', async () => {
    const unknown = {
      status: 404,
      code: 'registry-unknown',
      title: 'No such registry',
      detail: 'the topology has no registry prd',
      near: ['prod'],
    };
    const api = await scriptedApi({ 'GET /api/v1/registries/prd/repositories': problem(unknown) });

    expect(await waybill(['inventory', 'repositories', 'prd'], { api: api.url })).toMatchObject({
      status: 1,
      stderr: 'waybill: the topology has no registry prd\n  did you mean prod?\n',
    });
  });

  it.each([
    [['tags', 'prod']],
    [['tags', `prod/team-a/app@${digest}`]],
    [['artifacts', 'prod/team-a/app:1.0.0']],
    [['repositories', 'prod', '--state', 'empty']],
    [['repositories', 'prod', '--limit', '0']],
  ])('takes %j for wrong usage', async (args) => {
    expect((await waybill(['inventory', ...args])).status).toBe(2);
  });
});
