import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type CreatePromotion, PromotionEstimate, type PromotionList } from '@waybill/contracts/http';
import { parseRepositoryName, parseTag } from '@waybill/oci-model';
import { RegistryClient } from '@waybill/oci-registry';
import {
  buildImage,
  buildIndex,
  type BuiltImage,
  describeWith,
  pushBuilt,
  type RunningRegistry,
  startDockerRegistry,
} from '@waybill/testing';
import { allBut, type ApiUnderTest, problemIn, startApi } from '../../api-under-test.spec-helper.js';
import {
  applyRelease,
  deadAddress,
  locate,
  promotionOf,
  type RegistryUnderTest,
  releaseTopology,
  startRegistry,
} from '../../registries-under-test.spec-helper.js';

const path = '/api/v1/promotions/estimate';
const replicas = '  prod-us: { role: replica, of: prod, location: us, local: true }\n';

describe('POST /api/v1/promotions/estimate', () => {
  let api: ApiUnderTest;
  let [source, prod, prodUs]: RegistryUnderTest[] = [];
  let image: BuiltImage;

  beforeAll(async () => {
    [api, source, prod, prodUs] = await Promise.all([startApi(), startRegistry(), startRegistry(), startRegistry()]);
    image = await source.push('team-a/app', '1.0.0');
    await source.push('team-a/app', '2.0.0', 2);
    await source.push('team-a/app', '3.0.0', 3);
    await prod.push('team-a/app', '2.0.0', 2);
    await prod.push('team-a/app', '3.0.0', 4);
    await applyRelease(api, { 'ci-snapshots': source.url, prod: prod.url, 'prod-us': prodUs.url });
  });
  afterEach(async () => {
    for (const registry of [source, prod, prodUs]) if (registry !== undefined) registry.fault = undefined;
    await locate(api, 'prod', prod?.url ?? '');
  });
  afterAll(async () => {
    await Promise.all([api.stop(), source?.stop(), prod?.stop(), prodUs?.stop()]);
  });

  async function estimate(body: CreatePromotion = promotionOf()): Promise<PromotionEstimate> {
    const answer = await api.send('POST', path, { body });
    if (answer.status !== 200) throw new Error(answer.text);
    return PromotionEstimate.parse(answer.body);
  }

  const bytesOf = ({ blobs }: BuiltImage) => [...blobs.values()].reduce((sum, bytes) => sum + bytes.byteLength, 0);

  it('says what would be copied where, and what that costs, and writes nothing', async () => {
    const answer = await estimate();
    const [blobs, bytes] = [image.blobs.size, bytesOf(image)];
    const manifest = image.manifest.bytes.byteLength;

    expect(answer).toMatchObject({
      path: 'release',
      revision: 1,
      acceptable: true,
      conflicts: [],
      items: [{ digest: image.manifest.digest }],
    });
    expect(answer.items[0]?.targets.map(({ registry, tags }) => [registry, tags])).toEqual([
      ['prod', [{ tag: '1.0.0', expected: { kind: 'absent' }, change: 'create' }]],
      ['prod-us', [{ tag: '1.0.0', expected: { kind: 'absent' }, change: 'create' }]],
    ]);
    expect(answer.estimate.targets[0]).toEqual({
      item: 0,
      registry: 'prod',
      manifests: { copy: 1, mount: 0, skip: 0, unknown: 0 },
      manifestBytes: { copy: manifest, mount: 0, skip: 0, unknown: 0 },
      blobs: { copy: blobs, mount: 0, skip: 0, unknown: 0 },
      bytes: { copy: bytes, mount: 0, skip: 0, unknown: 0 },
      requests: 3 * blobs + 3 + 3,
    });
    expect(answer.estimate.links).toEqual([
      {
        from: 'eu',
        to: 'us',
        bytes: bytes + manifest,
        bytesUnknown: 0,
        requests: 3 * blobs + 3 + 3,
        cost: ((bytes + manifest) / 1e9) * 0.02,
      },
    ]);
    expect(((await api.send('GET', '/api/v1/promotions')).body as PromotionList).promotions).toEqual([]);
  });

  it('says what is there already', async () => {
    const { estimate: forecast, items } = await estimate(promotionOf('ci-snapshots/team-a/app:2.0.0'));

    expect(items[0]?.targets[0]?.tags).toMatchObject([{ tag: '2.0.0', change: 'keep' }]);
    expect(forecast.targets[0]).toMatchObject({ manifests: { copy: 0, skip: 1 }, blobs: { copy: 0, skip: expect.any(Number) } });
    expect(forecast.targets[1]).toMatchObject({ manifests: { copy: 1, skip: 0 } });
  });

  it('names the conflicts that a request would be refused for', async () => {
    const answer = await estimate(promotionOf('ci-snapshots/team-a/app:3.0.0'));
    const holds = buildImage({ seed: 4 }).manifest.digest;

    expect(answer.acceptable).toBe(false);
    expect(answer.conflicts).toEqual([
      {
        ...{ item: 0, registry: 'prod', repository: 'team-a/app', requirement: 'required', tag: '3.0.0' },
        ...{ holds, wanted: buildImage({ seed: 3 }).manifest.digest },
      },
    ]);
    expect(answer.items[0]?.targets[0]?.tags).toEqual([{ tag: '3.0.0', expected: { kind: 'digest', digest: holds }, change: 'conflict' }]);
    expect(problemIn(await api.post('/api/v1/promotions', promotionOf('ci-snapshots/team-a/app:3.0.0')))).toMatchObject({
      code: 'tag-immutable',
    });
  });

  it('has the hash that a request would have now', async () => {
    const { intentHash } = await estimate();

    expect((await api.post('/api/v1/promotions', promotionOf())).body).toMatchObject({ intentHash });
  });

  it.each([
    ['hangs', 'deadline', () => (prod!.fault = () => ({ stall: true }))],
    ['forbids us to look', 'unauthorized', () => (prod!.fault = () => ({ status: 403 }))],
    ['is out of order', 'unavailable', () => (prod!.fault = () => ({ status: 503 }))],
  ])('knows nothing of a target that %s, and everything of its neighbour', async (_what, unseen, break_) => {
    break_();

    const { estimate: forecast, items, acceptable } = await estimate();

    expect(acceptable).toBe(true);
    expect(items[0]?.targets[0]?.tags).toEqual([{ tag: '1.0.0', expected: { kind: 'unknown' }, change: 'unknown' }]);
    expect(forecast.targets[0]).toEqual({ item: 0, registry: 'prod', unseen });
    expect(forecast.targets[1]).toMatchObject({ registry: 'prod-us', blobs: { copy: image.blobs.size, unknown: 0 } });
  });

  it('knows nothing of a target that nobody can reach', async () => {
    await locate(api, 'prod', await deadAddress());

    expect((await estimate()).estimate.targets[0]).toEqual({ item: 0, registry: 'prod', unseen: 'unreachable' });
  });

  it('keeps what a target said before it fell silent', async () => {
    let asked = 0;
    prodUs!.fault = ({ route }) => (route.kind === 'blob' && (asked += 1) > 1 ? { stall: true } : undefined);

    const [, target] = (await estimate()).estimate.targets;

    expect(target).toMatchObject({
      unseen: 'deadline',
      manifests: { copy: 1, unknown: 0 },
      blobs: { copy: 1, unknown: image.blobs.size - 1 },
    });
  });

  it('forecasts nothing of an item that cannot be read to its end', async () => {
    const child = buildImage({ seed: 9, platform: { os: 'linux', architecture: 'arm64' } });
    const index = buildIndex([child]);
    const client = new RegistryClient({ origin: source?.url ?? '' });
    await pushBuilt(client.repository(parseRepositoryName('team-a/multi')), index);
    await client.repository(parseRepositoryName('team-a/multi')).putTag(parseTag('1.0.0'), index.manifest);
    client.close();
    source!.fault = ({ path: asked }) => (asked.endsWith(child.manifest.digest) ? { status: 404 } : undefined);

    const { estimate: forecast, items } = await estimate(promotionOf('ci-snapshots/team-a/multi:1.0.0'));

    expect(items[0]).toMatchObject({ digest: index.manifest.digest });
    expect(forecast).toMatchObject({
      targets: ['prod', 'prod-us'].map((registry) => ({ item: 0, registry, unseen: 'source-unread' })),
      links: [],
    });
  });

  it.each<[string, unknown, number, string]>([
    ['an unknown path', promotionOf(undefined, { path: 'realese' }), 404, 'path-unknown'],
    ['an unknown tag', promotionOf('ci-snapshots/team-a/app:1.0.1'), 404, 'tag-unknown'],
    ['a tag that the path does not carry', promotionOf('ci-snapshots/team-a/app:latest'), 422, 'not-admitted'],
    ['a malformed reference', promotionOf('app'), 422, 'reference-invalid'],
    ['no items', { path: 'release', items: [] }, 422, 'request-invalid'],
  ])('refuses %s as a request would be', async (_what, body, status, code) => {
    expect(problemIn(await api.send('POST', path, { body }))).toMatchObject({ status, code });
    expect(problemIn(await api.post('/api/v1/promotions', body))).toMatchObject({ status, code });
  });

  it('is for those who may ask for the promotion', async () => {
    const ofTeamB = await api.keyWith([{ verbs: ['promotions:create'], paths: ['*'], repositories: ['team-b/**'] }]);

    for (const key of [ofTeamB, await api.keyWith(allBut('promotions:create'))]) {
      expect(problemIn(await api.send('POST', path, { key, body: promotionOf() }))).toMatchObject({ status: 403, code: 'forbidden' });
    }
  });
});

describeWith(['docker-registry'], 'an estimate between two registries of Distribution', () => {
  let api: ApiUnderTest;
  let [source, target]: RunningRegistry[] = [];

  beforeAll(async () => {
    [api, source, target] = await Promise.all([startApi(), startDockerRegistry(), startDockerRegistry()]);
    const topology = releaseTopology.replace(replicas, '').replace(/replications:[^]*/, '');
    await api.send('PUT', '/api/v1/topology', { body: { source: topology } });
    await locate(api, 'ci-snapshots', source.url);
    await locate(api, 'prod', target.url);
  });
  afterAll(async () => {
    await Promise.all([api.stop(), source?.stop(), target?.stop()]);
  });

  it('tells a layer that is there from one that is not', async () => {
    const first = buildImage({ seed: 1 });
    const second = buildImage({ seed: 2, base: first });
    const repository = parseRepositoryName('team-a/app');
    for (const [url, image, tag] of [[source?.url, second, '2.0.0'] as const, [target?.url, first, '1.0.0'] as const]) {
      const client = new RegistryClient({ origin: url ?? '' });
      await pushBuilt(client.repository(repository), image);
      await client.repository(repository).putTag(parseTag(tag), image.manifest);
      client.close();
    }
    const answer = (await api.send('POST', path, { body: promotionOf('ci-snapshots/team-a/app:2.0.0') })).body as PromotionEstimate;
    const shared = [...second.blobs.keys()].filter((digest) => first.blobs.has(digest)).length;

    expect(shared).toBeGreaterThan(0);
    expect(answer.estimate.targets).toMatchObject([
      { registry: 'prod', manifests: { copy: 1, skip: 0 }, blobs: { copy: second.blobs.size - shared, skip: shared, unknown: 0 } },
    ]);
  });
});
