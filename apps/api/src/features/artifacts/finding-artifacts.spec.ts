import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type AcceptedPromotion, Artifact, type ResolvedArtifact } from '@waybill/contracts/http';
import { digestOf, parseRepositoryName, parseTag } from '@waybill/oci-model';
import { RegistryClient } from '@waybill/oci-registry';
import { buildImage, buildIndex, pushBuilt } from '@waybill/testing';
import { allBut, type ApiUnderTest, problemIn, startApi } from '../../api-under-test.spec-helper.js';
import {
  applyRelease,
  deadAddress,
  locate,
  promotionOf,
  type RegistryUnderTest,
  startRegistry,
} from '../../registries-under-test.spec-helper.js';

const about = (digest: string, query: Readonly<Record<string, string>> = {}) =>
  `/api/v1/artifacts/${digest}?${new URLSearchParams(query).toString()}`;

describe('where an artifact is', () => {
  let api: ApiUnderTest;
  let [ci, prod, prodUs]: RegistryUnderTest[] = [];
  let promotionId: string;
  let digest: string;

  beforeAll(async () => {
    [api, ci, prod, prodUs] = await Promise.all([startApi(), startRegistry(), startRegistry(), startRegistry()]);
    digest = (await ci.push('team-a/app', '1.0.0')).manifest.digest;
    await applyRelease(api, { 'ci-snapshots': ci.url, prod: prod.url, 'prod-us': prodUs.url });
    promotionId = ((await api.post('/api/v1/promotions', promotionOf())).body as AcceptedPromotion).id;
  });
  afterEach(() => {
    for (const registry of [ci, prod, prodUs]) registry!.fault = undefined;
  });
  afterAll(async () => {
    await Promise.all([api, ci, prod, prodUs].map((one) => one!.stop()));
  });

  async function find(of = digest, query: Readonly<Record<string, string>> = {}, key = api.adminKey): Promise<Artifact> {
    const answer = await api.send('GET', about(of, query), { key });
    if (answer.status !== 200) throw new Error(answer.text);
    return Artifact.parse(answer.body);
  }

  function at(artifact: Artifact, registry: string): Artifact['registries'][number] {
    const found = artifact.registries.find((one) => one.registry === registry);
    if (found === undefined) throw new Error(`the answer has no registry ${registry}`);
    return found;
  }

  it('looks in every registry, where it is on record and, where it is on no record, in the same repository', async () => {
    const artifact = await find();

    expect(artifact.registries.map(({ registry, state }) => [registry, state])).toEqual([
      ['ci-snapshots', 'present'],
      ['prod', 'absent'],
      ['prod-us', 'absent'],
    ]);
    expect(at(artifact, 'ci-snapshots')).toMatchObject({
      role: 'ci-snapshots',
      location: 'eu',
      repositories: [
        {
          repository: 'team-a/app',
          state: 'present',
          record: 'source',
          promotionId,
          lastSeen: expect.any(String),
          tags: [{ tag: '1.0.0', recorded: digest, state: 'names-it' }],
        },
      ],
    });
    expect(at(artifact, 'prod').repositories).toEqual([{ repository: 'team-a/app', state: 'absent', record: 'none', tags: [] }]);
  });

  it('tells what it is by its own manifest', async () => {
    const { manifest } = buildImage({ seed: 1 });

    expect(await find()).toMatchObject({ digest, mediaType: manifest.mediaType, size: manifest.bytes.byteLength });
    expect((await find()).children.length).toBeGreaterThan(1);
  });

  it('tells the platforms of an index', async () => {
    const index = buildIndex(['amd64', 'arm64'].map((architecture, seed) => buildImage({ seed, platform: { os: 'linux', architecture } })));
    const client = new RegistryClient({ origin: ci!.url });
    const store = client.repository(parseRepositoryName('team-a/multi'));
    await pushBuilt(store, index);
    await store.putTag(parseTag('1.0.0'), index.manifest);
    client.close();

    const { platforms, children, registries } = await find(index.manifest.digest, { repository: 'team-a/multi' });

    expect(platforms?.length).toBeGreaterThan(1);
    expect(platforms?.[0]).toMatchObject({ os: 'linux', architecture: expect.any(String) });
    expect(children.map((child) => child.digest)).toEqual(expect.arrayContaining(platforms?.map((platform) => platform.digest) ?? []));
    expect(registries[0]).toMatchObject({ state: 'present' });
  });

  it('sees what somebody else pushed, as soon as it is there', async () => {
    await prodUs!.push('team-a/app', 'by-hand');

    expect(at(await find(), 'prod-us')).toMatchObject({ state: 'present', repositories: [{ record: 'none' }] });
  });

  it('says where a tag that named it has gone', async () => {
    const { manifest } = await ci!.push('team-a/app', '1.0.0', 2);
    const moved = at(await find(), 'ci-snapshots').repositories[0];
    await ci!.push('team-a/app', '1.0.0');

    expect(moved).toMatchObject({
      state: 'present',
      tags: [{ tag: '1.0.0', recorded: digest, state: 'moved', names: manifest.digest }],
    });
  });

  it.each([
    [401, 'unauthorized'],
    [403, 'unauthorized'],
    [429, 'rate-limited'],
    [503, 'unavailable'],
  ] as const)('does not take an answer of %d for absence', async (status, reason) => {
    prod!.fault = () => ({ status });

    const artifact = await find();

    expect(at(artifact, 'prod')).toMatchObject({ state: 'unknown', reason, repositories: [{ state: 'unknown', reason }] });
    expect(at(artifact, 'ci-snapshots').state).toBe('present');
  });

  it('waits no longer than its deadline, and for nobody in vain', async () => {
    prod!.fault = () => ({ stall: true });

    const artifact = await find();

    expect(at(artifact, 'prod')).toMatchObject({ state: 'unknown', reason: 'deadline' });
    expect(at(artifact, 'ci-snapshots').state).toBe('present');
  });

  it('does not take a registry for empty that nobody can reach', async () => {
    await locate(api, 'prod', await deadAddress());
    const artifact = await find();
    await locate(api, 'prod', prod!.url);

    expect(at(artifact, 'prod')).toMatchObject({ state: 'unknown', reason: 'unreachable' });
  });

  it('looks where it is told to, known or not', async () => {
    const { manifest } = await prod!.push('team-c/tool', 'latest', 7);

    const blank = await find(manifest.digest);
    const told = await find(manifest.digest, { repository: 'team-c/tool' });

    expect(blank.registries.map(({ state, reason, repositories }) => [state, reason, repositories])).toEqual(
      Array.from({ length: 3 }, () => ['unknown', 'no-repository', []]),
    );
    expect(told.registries.map(({ state }) => state)).toEqual(['absent', 'present', 'absent']);
  });

  it('reads its places page after page, each once', async () => {
    for (const repository of ['team-a/one', 'team-a/two']) {
      await ci!.push(repository, '1.0.0');
      await api.post('/api/v1/promotions', promotionOf(`ci-snapshots/${repository}:1.0.0`));
    }
    const places: string[] = [];
    let next: string | undefined;
    do {
      const page = await find(digest, { limit: '1', ...(next === undefined ? {} : { cursor: next }) });
      places.push(
        ...page.registries.flatMap(({ registry, repositories }) => repositories.map((place) => `${registry}/${place.repository}`)),
      );
      next = page.next;
    } while (next !== undefined);

    expect(places.sort()).toEqual(['team-a/app', 'team-a/one', 'team-a/two'].map((repository) => `ci-snapshots/${repository}`));
  });

  it('shows only repositories that the key may read, and names no promotion that it may not', async () => {
    const grants = (repositories: string[], paths = ['*']) => [{ verbs: ['artifacts:read' as const], paths, repositories }];
    const ofTeamB = await api.keyWith(grants(['team-b/**']));
    const alongOther = await api.keyWith(grants(['team-a/app'], ['other']));

    expect((await find(digest, {}, ofTeamB)).registries.flatMap(({ repositories }) => repositories)).toEqual([]);
    const shown = at(await find(digest, {}, alongOther), 'ci-snapshots').repositories;
    expect(shown).toMatchObject([{ repository: 'team-a/app', state: 'present' }]);
    expect(JSON.stringify(shown)).not.toContain(promotionId);
    expect(problemIn(await api.send('GET', about(digest, { repository: 'team-a/app' }), { key: ofTeamB }))).toMatchObject({ status: 403 });
  });

  it('needs the verb', async () => {
    const key = await api.keyWith(allBut('artifacts:read'));

    for (const path of [about(digest), '/api/v1/artifacts?reference=prod/a:1']) {
      expect(problemIn(await api.send('GET', path, { key }))).toMatchObject({ status: 403, code: 'forbidden' });
    }
  });

  it.each([
    ['latest', {}, 'digest-invalid'],
    [digestOf(Buffer.from('x')), { repository: 'Team A' }, 'request-invalid'],
    [digestOf(Buffer.from('x')), { cursor: Buffer.from('x').toString('base64url') }, 'request-invalid'],
    [digestOf(Buffer.from('x')), { cursor: Buffer.from(`${'-'.repeat(36)} a`).toString('base64url') }, 'request-invalid'],
  ])('refuses %s with %j', async (of, query, code) => {
    expect(problemIn(await api.send('GET', about(of, query)))).toMatchObject({ status: 422, code });
  });

  describe('by reference', () => {
    const resolve = (reference: string) => api.send('GET', `/api/v1/artifacts?${new URLSearchParams({ reference }).toString()}`);

    it('says what a tag names now', async () => {
      expect((await resolve('ci-snapshots/team-a/app:1.0.0')).body as ResolvedArtifact).toMatchObject({
        registry: 'ci-snapshots',
        repository: 'team-a/app',
        tag: '1.0.0',
        digest,
      });
      expect((await resolve(`ci-snapshots/team-a/app@${digest}`)).body as ResolvedArtifact).toMatchObject({ digest });
    });

    it.each([
      ['ci-snapshots/team-a/app:1.0.1', 404, 'tag-unknown'],
      ['ci-snapshots/team-a/nothing:1.0.0', 404, 'repository-unknown'],
      [`ci-snapshots/team-a/app@sha256:${'0'.repeat(64)}`, 404, 'digest-unknown'],
      ['elsewhere/team-a/app:1.0.0', 404, 'registry-unknown'],
      ['ci-snapshots/team-a/app', 422, 'tag-missing'],
      ['ci-snapshots', 422, 'reference-invalid'],
    ])('answers %s with %d %s', async (reference, status, code) => {
      expect(problemIn(await resolve(reference))).toMatchObject({ status, code });
    });

    it('says that a registry cannot be asked', async () => {
      ci!.fault = () => ({ stall: true });

      expect(problemIn(await resolve('ci-snapshots/team-a/app:1.0.0'))).toMatchObject({ status: 503, code: 'source-unreachable' });
    });
  });
});

describe('where an artifact is, before there is a topology', () => {
  it('cannot be said', async () => {
    const api = await startApi();
    try {
      expect(problemIn(await api.send('GET', about(digestOf(Buffer.from('x')))))).toMatchObject({ status: 409, code: 'no-topology' });
    } finally {
      await api.stop();
    }
  });
});
