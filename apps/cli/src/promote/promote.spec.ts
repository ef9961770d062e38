import { describe, expect, it } from '@jest/globals';
import { Interruption } from '../interruption.js';
import {
  accepted,
  digest,
  problem,
  promotion,
  promotionId,
  type Route,
  scriptedApi,
  target,
  waybill,
} from '../scripted-api.spec-helper.js';

const create = 'POST /api/v1/promotions';
const read = `GET /api/v1/promotions/${promotionId}`;
const source = 'ci-snapshots/team-a/app:1.4.0';
const isAccepted: Route = { status: 202, body: accepted() };

describe('waybill promote', () => {
  it('sends what was said, and tells where the promotion is', async () => {
    const api = await scriptedApi({ [create]: isAccepted });

    const ran = await waybill(
      [
        ...['promote', source, 'ci-snapshots/team-b/app:2.0.0', '--path', 'release', '--tag', 'v1', 'v2', '--reason', 'because'],
        ...['--label', 'team=a', 'ticket=x=y', '--external-ref', 'run 7', '--idempotency-key', 'key-1'],
      ],
      { api: api.url, key: 'wb_secret' },
    );

    expect(api.asked[0]).toMatchObject({
      headers: { 'idempotency-key': 'key-1', authorization: 'Bearer wb_secret' },
      body: {
        path: 'release',
        items: [
          { source, tags: ['v1', 'v2'] },
          { source: 'ci-snapshots/team-b/app:2.0.0', tags: ['v1', 'v2'] },
        ],
        reason: 'because',
        labels: { team: 'a', ticket: 'x=y' },
        externalRef: 'run 7',
      },
    });
    expect(ran.status).toBe(0);
    expect(ran.stdout).toContain(`location: ${api.url}/api/v1/promotions/${promotionId}`);
    expect(ran.stdout).toContain(`waybill status ${promotionId}`);
  });

  it('sends no tags, reason or labels that nobody gave, and a new key each time', async () => {
    const api = await scriptedApi({ [create]: isAccepted });

    await waybill(['promote', source, '--path', 'release'], { api: api.url });
    await waybill(['promote', source, '--path', 'release'], { api: api.url });

    expect(api.asked[0]?.body).toEqual({ path: 'release', items: [{ source }] });
    const requests = api.asked.filter(({ route }) => route === create);
    expect(new Set(requests.map(({ headers }) => headers['idempotency-key'])).size).toBe(2);
  });

  it('says what is paused of that which it touches, and why', async () => {
    const pause = { id: promotionId, reason: 'freeze', pausedBy: promotionId, pausedAt: '2026-05-01T10:00:00Z' };
    const pauses = [
      { ...pause, scope: 'path', name: 'release' },
      { ...pause, scope: 'path', name: 'hotfix' },
      { ...pause, scope: 'registry', name: 'prod' },
      { ...pause, scope: 'registry', name: 'archive' },
      { ...pause, scope: 'global' },
    ];
    const api = await scriptedApi({ [create]: isAccepted, 'GET /api/v1/pauses': { body: { pauses } } });

    const { stdout } = await waybill(['promote', source, '--path', 'release'], { api: api.url });

    const told = stdout.split('\n').filter((line) => line.startsWith('it waits'));
    expect(told).toEqual(
      ['path release', 'registry prod', 'everything'].map(
        (what) => `it waits: ${what} is paused since 2026-05-01T10:00:00Z: freeze (pause ${promotionId})`,
      ),
    );
  });

  it('says while it waits which pause holds a target, once', async () => {
    const pause = { id: promotionId, scope: 'path' as const, name: 'release', reason: 'freeze', pausedBy: promotionId };
    const since = '2026-05-01T10:00:00Z';
    const waitingFor = { what: 'pause' as const, since, pause: { ...pause, pausedAt: since } };
    const held = promotion({ state: 'waiting', settled: false }, [target({ state: 'pending', outcome: undefined, waitingFor })]);
    const states = [held, held, promotion()];
    const api = await scriptedApi({ [create]: isAccepted, [read]: () => ({ body: states.shift() }) });

    const { stdout } = await waybill(['promote', source, '--path', 'release', '--wait'], { api: api.url });

    expect(stdout.split(`prod: path release is paused by ${promotionId} since ${since}: freeze`)).toHaveLength(2);
  });

  it('names the replicas that missed a promotion which succeeded', async () => {
    const missed = target({ registry: 'prod-us', requirement: 'best-effort', outcome: 'conflict' });
    const api = await scriptedApi({ [create]: isAccepted, [read]: { body: promotion({}, [target(), missed]) } });

    const { status, stdout } = await waybill(['promote', source, '--path', 'release', '--wait'], { api: api.url });

    expect(status).toBe(0);
    expect(stdout).toContain(`promotion ${promotionId}: succeeded; replica prod-us: conflict\n`);
  });

  it('prints nothing but JSON on stdout with --json', async () => {
    const api = await scriptedApi({ [create]: isAccepted, [read]: { body: promotion() } });

    const asked = await waybill(['promote', source, '--path', 'release', '--json'], { api: api.url });
    const waited = await waybill(['promote', source, '--path', 'release', '--json', '--wait'], { api: api.url });

    expect(JSON.parse(asked.stdout)).toMatchObject({ id: promotionId, location: `${api.url}/api/v1/promotions/${promotionId}` });
    expect(JSON.parse(waited.stdout)).toEqual(promotion());
  });

  it('waits until replicas are done too, though success is known before', async () => {
    const running = { requirement: 'best-effort', registry: 'prod-us', state: 'copying', outcome: undefined } as const;
    const states = [
      promotion({ state: 'running', settled: false }, [target({ state: 'copying', outcome: undefined }), target(running)]),
      promotion({ settled: false }, [target(), target(running)]),
      promotion({}, [target(), target({ ...running, state: 'done', outcome: 'mounted' })]),
    ];
    const api = await scriptedApi({ [create]: isAccepted, [read]: () => ({ body: states.shift() }) });

    const { status, stdout } = await waybill(['promote', source, '--path', 'release', '--wait'], { api: api.url });

    expect(status).toBe(0);
    expect(states).toEqual([]);
    expect(stdout.indexOf('prod/team-a/app:1.4.0: copied')).toBeLessThan(stdout.indexOf('prod-us/team-a/app:1.4.0: mounted'));
    expect(stdout).toMatch(/^prod-us \(replica\) +team-a\/app:1\.4\.0 +sha256:abababababab +mounted +2\.0 KiB +– +1\.250$/m);
  });

  it.each([
    ['succeeded', 0],
    ['failed', 1],
    ['rejected', 7],
    ['cancelled', 6],
    ['partial', 3],
    ['superseded', 4],
  ] as const)('ends with its own status for each end: %s', async (state, expected) => {
    const api = await scriptedApi({ [create]: isAccepted, [read]: { body: promotion({ state }) } });

    expect(await waybill(['promote', source, '--path', 'release', '--wait'], { api: api.url })).toMatchObject({
      status: expected,
      stdout: expect.stringContaining(`promotion ${promotionId}: ${state}`),
    });
  });

  it('says once why a target waits, and that it was given up', async () => {
    const error = { code: 'unavailable', message: 'prod answered 503', operation: 'push blob', retryable: true };
    const dueAt = '2026-05-01T10:00:09Z';
    const waiting = promotion({ state: 'running', settled: false }, [target({ state: 'pending', outcome: undefined, error, dueAt })]);
    const ended = promotion({ state: 'failed' }, [target({ outcome: 'failed', error, attempts: 8 })]);
    const states = [waiting, waiting, ended];
    const api = await scriptedApi({ [create]: isAccepted, [read]: () => ({ body: states.shift() }) });

    const { stdout } = await waybill(['promote', source, '--path', 'release', '--wait'], { api: api.url });

    expect(stdout.split('prod: prod answered 503 (attempt 1, next 2026-05-01T10:00:09Z)')).toHaveLength(2);
    expect(stdout).toContain('prod/team-a/app:1.4.0: failed');
    expect(stdout).toContain('prod: prod answered 503\n');
  });

  it('says that the source tag moved meanwhile', async () => {
    const [item] = promotion().items;
    const items = [{ ...item!, sourceMoved: { at: '2026-05-01T10:00:00Z', to: `sha256:${'cd'.repeat(32)}` as typeof digest } }];
    const api = await scriptedApi({ [create]: isAccepted, [read]: { body: promotion({ items }) } });

    const { stdout } = await waybill(['promote', source, '--path', 'release', '--wait'], { api: api.url });

    expect(stdout).toMatch(new RegExp(`the source tag moved to sha256:${'cd'.repeat(32)} meanwhile; ${digest}, pinned at request`));
  });

  it('asks again when the API is away for a moment', async () => {
    const answers: Route[] = [
      problem({ status: 503, code: 'unavailable', title: 'A part is down' }),
      { status: 502 },
      { body: promotion() },
    ];
    const api = await scriptedApi({ [create]: isAccepted, [read]: () => answers.shift() as { body: unknown } });

    const { status, stdout } = await waybill(['promote', source, '--path', 'release', '--wait'], { api: api.url });

    expect(status).toBe(0);
    expect(stdout.match(/asking again/g)).toHaveLength(1);
  });

  it('says at Ctrl-C that the promotion goes on, and how to follow it', async () => {
    const stop = new AbortController();
    const running = promotion({ state: 'running', settled: false }, [target({ state: 'copying', outcome: undefined })]);
    const api = await scriptedApi({
      [create]: isAccepted,
      [read]: () => {
        setImmediate(() => stop.abort(new Interruption('SIGINT')));
        return { body: running };
      },
    });

    const ran = await waybill(['promote', source, '--path', 'release', '--wait', '--json'], { api: api.url, stop: stop.signal });

    expect(ran).toMatchObject({ status: 130, stdout: '' });
    expect(ran.stderr).toContain(`the promotion goes on. Follow it with: waybill status ${promotionId}`);
  });

  it('gives the key for a repetition when it cannot know whether it was heard', async () => {
    const stop = new AbortController();
    const api = await scriptedApi({
      [create]: () => {
        setImmediate(() => stop.abort(new Interruption('SIGTERM')));
        return 'silence';
      },
    });

    const ran = await waybill(['promote', source, '--path', 'release'], { api: api.url, stop: stop.signal });

    expect(ran.status).toBe(143);
    expect(ran.stderr).toContain(`repeat it safely with --idempotency-key ${api.asked[0]?.headers['idempotency-key'] as string}`);
  });

  it.each([
    ['unavailable', true],
    ['source-unreachable', false],
  ])('warns of a request that may have been heard where it may: %s', async (code, isWarned) => {
    const api = await scriptedApi({ [create]: problem({ status: 503, code, title: 'Not now' }) });

    const ran = await waybill(['promote', source, '--path', 'release'], { api: api.url });

    expect(ran.status).toBe(1);
    expect(ran.stderr.includes('may have been accepted')).toBe(isWarned);
  });
});

describe('waybill promote, refused', () => {
  it('names the near words of what is unknown', async () => {
    const unknown = { status: 404, code: 'path-unknown', title: 'No such path', detail: 'there is no path "relase"', near: ['release'] };
    const api = await scriptedApi({ [create]: problem(unknown) });

    const ran = await waybill(['promote', source, '--path', 'relase'], { api: api.url });

    expect(ran).toEqual({ status: 1, stdout: '', stderr: 'waybill: there is no path "relase"\n  did you mean release?\n' });
  });

  it('gives programs the problem as JSON', async () => {
    const taken = { status: 409, code: 'tag-immutable', title: 'The tag is immutable and taken', detail: 'prod holds 1.4.0' };
    const api = await scriptedApi({ [create]: problem(taken) });

    const ran = await waybill(['promote', source, '--path', 'release', '--json'], { api: api.url });

    expect(ran.status).toBe(1);
    expect(JSON.parse(ran.stdout)).toEqual({
      error: { code: 'tag-immutable', message: 'prod holds 1.4.0', retryable: false, problem: expect.objectContaining(taken) },
    });
  });

  it('points at each mistake of the request', async () => {
    const errors = [{ pointer: '/items/0/tags/0', detail: 'not a tag' }];
    const api = await scriptedApi({
      [create]: problem({ status: 422, code: 'request-invalid', title: 'The request is not valid', errors }),
    });

    const { stderr } = await waybill(['promote', source, '--path', 'release', '--tag', '-'], { api: api.url });

    expect(stderr).toBe('waybill: The request is not valid\n  /items/0/tags/0: not a tag\n');
  });

  it('says where a key is found when it has none', async () => {
    const api = await scriptedApi({ [create]: problem({ status: 401, code: 'unauthenticated', title: 'No valid API key' }) });

    const { stderr } = await waybill(['promote', source, '--path', 'release'], { api: api.url });

    expect(stderr).toMatch(/No valid API key\n.*WAYBILL_API_KEY.*admin\.key/);
  });

  it.each([
    ['path-unknown', /topology show/],
    ['registry-unknown', /not by its address/],
    ['reference-invalid', /registry\/repository:tag/],
    ['tag-missing', /registry\/repository:tag, or registry\/repository@sha256/],
    ['not-found', /WAYBILL_API_URL/],
  ])('says what to do where no word is near: %s', async (code, expected) => {
    const api = await scriptedApi({ [create]: problem({ status: 404, code, title: 'Not so', near: [] }) });

    const { stderr } = await waybill(['promote', source, '--path', 'release'], { api: api.url });

    expect(stderr).toMatch(/^waybill: Not so\n {2}.+\n$/);
    expect(stderr).toMatch(expected);
  });

  it('asks for the tags of the targets where those are what is missing', async () => {
    const errors = [{ pointer: '/items/0/tags', detail: 'no tag to write' }];
    const api = await scriptedApi({ [create]: problem({ status: 422, code: 'tag-missing', title: 'No tag to write', errors }) });

    expect((await waybill(['promote', source, '--path', 'release'], { api: api.url })).stderr).toContain('\n  say which with --tag\n');
  });

  it.each([
    ['an answer of something else', { status: 404 }, 'perhaps something else than Waybill answers there'],
    ['an answer that is no JSON', { status: 502 }, 'the API answered 502'],
    ['an answer of another kind', { status: 202, body: { id: 1 } }, 'does not understand'],
  ])('copes with %s', async (_what, answer, expected) => {
    const api = await scriptedApi({ [create]: answer });

    expect(await waybill(['promote', source, '--path', 'release'], { api: api.url })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(expected),
    });
  });

  it('says where nobody answers', async () => {
    const ran = await waybill(['promote', source, '--path', 'release'], { api: 'http://127.0.0.1:1' });

    expect(ran.status).toBe(1);
    expect(ran.stderr).toContain('no answer from http://127.0.0.1:1: is Waybill running there?');
  });

  it('says that TLS was asked for where none is spoken', async () => {
    const api = await scriptedApi({});

    const ran = await waybill(['status'], { api: api.url.replace('http:', 'https:') });

    expect(ran.status).toBe(1);
    expect(ran.stderr).toContain('check http or https in WAYBILL_API_URL');
  });
});
