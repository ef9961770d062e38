import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { AcceptedPromotion, CreatePromotion, Promotion } from '@waybill/contracts/http';
import { type BuiltImage, type ScriptedServer, startScriptedServer, startTcpProxy, type TcpProxy } from '@waybill/testing';
import { type ApiUnderTest, problemIn, startApi } from '../../api-under-test.spec-helper.js';
import {
  applyRelease,
  deadAddress,
  locate,
  promotionOf,
  type RegistryUnderTest,
  startRegistry,
} from '../../registries-under-test.spec-helper.js';

const path = '/api/v1/promotions';
const absent = `sha256:${'0'.repeat(64)}`;

describe('POST /api/v1/promotions', () => {
  let api: ApiUnderTest;
  let source: RegistryUnderTest;
  let target: RegistryUnderTest;
  let image: BuiltImage;
  const endings: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    [api, source, target] = await Promise.all([startApi(), startRegistry(), startRegistry()]);
    image = await source.push('team-a/app', '1.0.0');
    await source.push('team-a/app', '1.1.0');
    await source.push('tools/helper', '1.0.0');
    await target.push('team-a/app', '7.0.0', 2);
    await applyRelease(api, { 'ci-snapshots': source.url, prod: target.url, 'prod-us': target.url });
  });
  afterEach(async () => {
    source.fault = undefined;
    target.fault = undefined;
    for (const end of endings.splice(0)) await end();
    await locate(api, 'ci-snapshots', source.url);
    await locate(api, 'prod', target.url);
  });
  afterAll(async () => {
    await Promise.all([api.stop(), source.stop(), target.stop()]);
  });

  async function recorded(): Promise<number> {
    return ((await api.send('GET', path)).body as { promotions: unknown[] }).promotions.length;
  }

  it('accepts, pins the digest and says what it saw', async () => {
    const answer = await api.post(path, promotionOf(undefined, { reason: 'because', labels: { team: 'a' }, externalRef: 'run/7' }));
    const accepted = answer.body as AcceptedPromotion;

    expect(answer.status).toBe(202);
    expect(answer.headers.get('location')).toBe(`${path}/${accepted.id}`);
    expect(accepted).toMatchObject({
      state: 'requested',
      path: 'release',
      revision: 1,
      items: [
        {
          source: { registry: 'ci-snapshots', repository: 'team-a/app', tag: '1.0.0' },
          digest: image.manifest.digest,
          targets: [
            { registry: 'prod', repository: 'team-a/app', requirement: 'required', tags: ['1.0.0'] },
            { registry: 'prod-us', repository: 'team-a/app', requirement: 'best-effort', tags: ['1.0.0'] },
          ],
        },
      ],
    });
    expect(accepted.estimate.targets).toMatchObject([
      { item: 0, registry: 'prod' },
      { item: 0, registry: 'prod-us' },
    ]);

    const shown = (await api.send('GET', `${path}/${accepted.id}`)).body as Promotion;
    expect(shown).toMatchObject({ reason: 'because', labels: { team: 'a' }, externalRef: 'run/7', settled: false });
    expect(shown.items[0]?.targets[0]?.tags).toEqual([{ tag: '1.0.0', expected: { kind: 'absent' } }]);
  });

  const bad: readonly (readonly [title: string, body: unknown, status: number, code: string, more: object])[] = [
    ['an unknown path', promotionOf(undefined, { path: 'realese' }), 404, 'path-unknown', { near: ['release'] }],
    ['an unknown registry', promotionOf('ci-snapshot/team-a/app:1.0.0'), 404, 'registry-unknown', { near: ['ci-snapshots'] }],
    ['an unknown repository', promotionOf('ci-snapshots/team-a/apps:1.0.0'), 404, 'repository-unknown', { near: ['team-a/app'] }],
    ['an unknown tag', promotionOf('ci-snapshots/team-a/app:1.0.1'), 404, 'tag-unknown', { near: ['1.0.0', '1.1.0'] }],
    [
      'an unknown digest',
      { path: 'release', items: [{ source: `ci-snapshots/team-a/app@${absent}`, tags: ['2.0.0'] }] },
      404,
      'digest-unknown',
      {},
    ],
    [
      'a malformed reference',
      promotionOf('ci-snapshots/Team A:1.0.0'),
      422,
      'reference-invalid',
      { errors: [{ pointer: '/items/0/source' }] },
    ],
    ['a reference without a registry', promotionOf('app:1.0.0'), 422, 'reference-invalid', { errors: [{ pointer: '/items/0/source' }] }],
    [
      'a malformed digest',
      promotionOf('ci-snapshots/team-a/app@sha256:abc'),
      422,
      'reference-invalid',
      { errors: [{ pointer: '/items/0/source' }] },
    ],
    [
      'several malformed references',
      { path: 'release', items: [{ source: ':' }, { source: 'ci-snapshots/team-a/app:1.0.0' }, { source: '@' }] },
      422,
      'reference-invalid',
      { errors: [{ pointer: '/items/0/source' }, { pointer: '/items/2/source' }] },
    ],
    ['neither tag nor digest', promotionOf('ci-snapshots/team-a/app'), 422, 'tag-missing', { errors: [{ pointer: '/items/0/source' }] }],
    [
      'a digest without a tag to write',
      promotionOf(`ci-snapshots/team-a/app@${absent}`),
      422,
      'tag-missing',
      { errors: [{ pointer: '/items/0/tags' }] },
    ],
    [
      'a source of another registry',
      promotionOf('prod/team-a/app:7.0.0'),
      422,
      'source-mismatch',
      { errors: [{ pointer: '/items/0/source' }] },
    ],
    ['a repository that the path does not carry', promotionOf('ci-snapshots/tools/helper:1.0.0'), 422, 'not-admitted', {}],
    ['a tag that the path does not carry', promotionOf('ci-snapshots/team-a/app:latest'), 422, 'not-admitted', {}],
    ['a reserved tag', promotionOf(`ci-snapshots/team-a/app:sha256-${'0'.repeat(64)}`), 422, 'tag-reserved', {}],
    [
      'two items that write one tag',
      {
        path: 'release',
        items: [{ source: 'ci-snapshots/team-a/app:1.0.0' }, { source: 'ci-snapshots/team-a/app:1.1.0', tags: ['1.0.0'] }],
      },
      422,
      'duplicate-target',
      {},
    ],
    [
      'an immutable tag that holds something else',
      { path: 'release', items: [{ source: 'ci-snapshots/team-a/app:1.0.0', tags: ['7.0.0'] }] },
      409,
      'tag-immutable',
      { errors: [{ pointer: '/items/0' }] },
    ],
    ['no body', undefined, 422, 'request-invalid', { errors: [{ pointer: '' }] }],
    ['a list', [], 422, 'request-invalid', { errors: [{ pointer: '' }] }],
    ['no items', { path: 'release', items: [] }, 422, 'request-invalid', { errors: [{ pointer: '/items' }] }],
    [
      'wrong types',
      { path: 7, items: [{ source: null, tags: 'x' }] },
      422,
      'request-invalid',
      { errors: [{ pointer: '/path' }, { pointer: '/items/0/source' }, { pointer: '/items/0/tags' }] },
    ],
    [
      'unknown fields',
      { ...promotionOf(), 'a/b~c': 1, items: [{ source: 'ci-snapshots/team-a/app:1.0.0', tag: 'x', digest: 'y' }] },
      422,
      'request-invalid',
      { errors: [{ pointer: '/items/0/tag' }, { pointer: '/items/0/digest' }, { pointer: '/a~1b~0c' }] },
    ],
    [
      'a tag that is none',
      { path: 'release', items: [{ source: 'ci-snapshots/team-a/app:1.0.0', tags: ['-x'] }] },
      422,
      'request-invalid',
      { errors: [{ pointer: '/items/0/tags/0' }] },
    ],
    [
      'text that no database keeps',
      promotionOf(undefined, { reason: 'a\0b' }),
      422,
      'request-invalid',
      { errors: [{ pointer: '/reason' }] },
    ],
    [
      'half a character',
      promotionOf(undefined, { labels: { a: '\ud800' } }),
      422,
      'request-invalid',
      { errors: [{ pointer: '/labels/a' }] },
    ],
    [
      'more items than one request may have',
      { path: 'release', items: Array.from({ length: 101 }, () => ({ source: 'ci-snapshots/team-a/app:1.0.0' })) },
      422,
      'request-invalid',
      { errors: [{ pointer: '/items' }] },
    ],
  ];

  it.each(bad)('refuses %s', async (_title, body, status, code, more) => {
    const before = await recorded();
    const answer = await api.post(path, body);

    const problem = problemIn(answer);
    expect(problem).toMatchObject({ status, code, type: `/api/docs/problems#${code}`, ...more });
    expect(problem.errors?.length).toBe('errors' in more ? (more.errors as unknown[]).length : problem.errors?.length);
    expect(await recorded()).toBe(before);
  });

  it.each<[string, { paths: string[]; repositories: string[] }]>([
    ['path', { paths: ['other'], repositories: ['**'] }],
    ['repository', { paths: ['*'], repositories: ['team-b/**'] }],
  ])('refuses a %s that the key may not use, before anything is looked up', async (_part, scope) => {
    let asked = 0;
    source.fault = () => ((asked += 1), undefined);
    const key = await api.keyWith([{ verbs: ['promotions:create'], ...scope }]);

    const known = await api.post(path, promotionOf(), { key });
    const unknown = await api.post(path, promotionOf('ci-snapshots/team-a/none:9.9.9'), { key });

    expect(problemIn(known)).toMatchObject({ status: 403, code: 'forbidden' });
    expect(problemIn(unknown)).toMatchObject({ status: 403, code: 'forbidden' });
    expect(asked).toBe(0);
  });

  it('refuses all items when the key may not use one', async () => {
    const key = await api.keyWith([{ verbs: ['promotions:create'], paths: ['*'], repositories: ['team-a/app'] }]);
    const items = [{ source: 'ci-snapshots/team-a/app:1.0.0' }, { source: 'ci-snapshots/team-b/app:1.0.0' }];

    expect(problemIn(await api.post(path, { path: 'release', items }, { key }))).toMatchObject({ status: 403 });
  });

  it('proposes no repository that the key may not use', async () => {
    const asked = promotionOf('ci-snapshots/team-a/apps:1.0.0');
    const key = await api.keyWith([{ verbs: ['promotions:create'], paths: ['*'], repositories: ['team-a/apps'] }]);

    expect(problemIn(await api.post(path, asked))).toMatchObject({ code: 'repository-unknown', near: ['team-a/app'] });
    const problem = problemIn(await api.post(path, asked, { key }));
    expect(problem).toMatchObject({ status: 404, code: 'repository-unknown' });
    expect(problem).not.toHaveProperty('near');
  });

  it('accepts what lies elsewhere under the tag already when it is the same', async () => {
    await target.push('team-a/app', '1.1.0');

    expect((await api.post(path, promotionOf('ci-snapshots/team-a/app:1.1.0'))).status).toBe(202);
  });

  describe('when the source cannot be read', () => {
    async function expectUnreachable(): Promise<void> {
      const before = await recorded();
      const headers = { 'idempotency-key': `down-${before}-${endings.length}` };
      const refused = await api.post(path, promotionOf(), { headers });

      expect(problemIn(refused)).toMatchObject({ status: 503, code: 'source-unreachable' });
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await recorded()).toBe(before);

      await locate(api, 'ci-snapshots', source.url);
      source.fault = undefined;
      expect((await api.post(path, promotionOf(), { headers })).status).toBe(202);
    }

    it('says so when nobody listens there, and takes the same Idempotency-Key later', async () => {
      await locate(api, 'ci-snapshots', await deadAddress());

      await expectUnreachable();
    });

    it('says so when it answers with errors', async () => {
      source.fault = () => ({ status: 503 });

      await expectUnreachable();
    });

    it('says so when it hangs longer than the deadline', async () => {
      const proxy: TcpProxy = await startTcpProxy(Number(new URL(source.url).port));
      endings.push(() => proxy.stop());
      proxy.hang();
      await locate(api, 'ci-snapshots', `http://127.0.0.1:${proxy.port}`);

      await expectUnreachable();
    });

    it('hands on how long it asks to wait', async () => {
      source.fault = () => ({ status: 429, headers: { 'retry-after': '77' } });

      const refused = await api.post(path, promotionOf());

      expect(problemIn(refused)).toMatchObject({ status: 503, code: 'source-unreachable' });
      expect(refused.headers.get('retry-after')).toBe('77');
    });

    it('tells refused credentials from absence', async () => {
      source.fault = () => ({ status: 401 });

      expect(problemIn(await api.post(path, promotionOf()))).toMatchObject({ status: 502, code: 'source-refused' });
    });

    it('still says which tag is unknown when near names cannot be had in time', async () => {
      const proxy: TcpProxy = await startTcpProxy(Number(new URL(source.url).port));
      endings.push(() => proxy.stop());
      await locate(api, 'ci-snapshots', `http://127.0.0.1:${proxy.port}`);
      source.fault = ({ route }) => {
        if (route.kind === 'tags') proxy.hang();
        return undefined;
      };

      const problem = problemIn(await api.post(path, promotionOf('ci-snapshots/team-a/app:9.9.9')));

      expect(problem).toMatchObject({ status: 404, code: 'tag-unknown' });
      expect(problem).not.toHaveProperty('near');
    });
  });

  it.each([
    ['no JSON', '<html>', {}],
    ['JSON that is no manifest', '{"schemaVersion":1}', {}],
    ['other bytes than its digest says', '{"schemaVersion":2}', { 'docker-content-digest': absent }],
    ['more than four mebibytes', `{"x":"${'x'.repeat(4 * 1024 * 1024)}"}`, {}],
  ])('calls a source broken that gives %s for a manifest', async (_what, text, headers) => {
    const server: ScriptedServer = await startScriptedServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/vnd.oci.image.manifest.v1+json', ...headers }).end(text);
    });
    endings.push(() => server.stop());
    await locate(api, 'ci-snapshots', server.origin);
    const before = await recorded();

    expect(problemIn(await api.post(path, promotionOf()))).toMatchObject({ status: 502, code: 'source-broken' });
    expect(await recorded()).toBe(before);
  });

  describe('when a target cannot be asked', () => {
    async function expectedAtProd(): Promise<unknown> {
      const accepted = await api.post(path, promotionOf());
      expect(accepted.status).toBe(202);
      const { estimate, id } = accepted.body as AcceptedPromotion;
      expect(estimate.targets[0]).toEqual({ item: 0, registry: 'prod', unseen: expect.any(String) });
      const shown = (await api.send('GET', `${path}/${id}`)).body as Promotion;
      return shown.items[0]?.targets.find(({ registry }) => registry === 'prod')?.tags;
    }

    it('accepts with what it holds unknown when nobody listens there', async () => {
      await locate(api, 'prod', await deadAddress());

      expect(await expectedAtProd()).toEqual([{ tag: '1.0.0', expected: { kind: 'unknown' } }]);
    });

    it('accepts with what it holds unknown when it hangs', async () => {
      const proxy: TcpProxy = await startTcpProxy(Number(new URL(target.url).port));
      endings.push(() => proxy.stop());
      proxy.hang();
      await locate(api, 'prod', `http://127.0.0.1:${proxy.port}`);

      expect(await expectedAtProd()).toEqual([{ tag: '1.0.0', expected: { kind: 'unknown' } }]);
    });

    it('accepts with what it holds unknown when it refuses us', async () => {
      target.fault = () => ({ status: 401 });

      expect(await expectedAtProd()).toEqual([{ tag: '1.0.0', expected: { kind: 'unknown' } }]);
    });
  });

  it('does not accept for a topology that was never applied', async () => {
    const fresh = await startApi();
    try {
      expect(problemIn(await fresh.post(path, promotionOf()))).toMatchObject({ status: 409, code: 'no-topology' });
      expect(problemIn(await fresh.send('GET', '/api/v1/topology'))).toMatchObject({ status: 409, code: 'no-topology' });
      const address = { body: { address: 'http://127.0.0.1:1' } };
      expect(problemIn(await fresh.send('PUT', '/api/v1/registries/prod/address', address))).toMatchObject({ code: 'no-topology' });
    } finally {
      await fresh.stop();
    }
  });

  it('keeps whom a request is made for as claimed', async () => {
    const onBehalfOf: CreatePromotion['onBehalfOf'] = { issuer: 'https://idp.example.com', subject: 'ada' };
    const { id } = (await api.post(path, promotionOf(undefined, { onBehalfOf }))).body as AcceptedPromotion;

    expect((await api.send('GET', `${path}/${id}`)).body).toMatchObject({ onBehalfOf });
  });
});
