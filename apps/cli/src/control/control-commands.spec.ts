import { describe, expect, it } from '@jest/globals';
import type { Pause, Promotion } from '@waybill/contracts/http';
import { type Asked, problem, promotion, promotionId, scriptedApi, target, waybill } from '../scripted-api.spec-helper.js';

const promotionPath = `/api/v1/promotions/${promotionId}`;
const pauseId = '01920000-0000-7000-8000-0000000000aa';
const since = '2026-05-01T10:00:00Z';
const paused: Pause = { id: pauseId, scope: 'path', name: 'release', reason: 'release freeze', pausedBy: promotionId, pausedAt: since };

describe('waybill cancel', () => {
  const cancel = `POST ${promotionPath}/cancel`;
  const cancellation: Promotion['cancellation'] = {
    requestedBy: promotionId,
    requestedAt: since,
    reason: 'wrong',
    stops: 'everything',
    tagsWritten: [],
  };
  const ended = promotion({ state: 'cancelled', cancellation }, [target({ outcome: 'cancelled' })]);

  it('tells the API why, and shows what became of it', async () => {
    const api = await scriptedApi({ [cancel]: { status: 202, body: ended } });

    const { status, stdout } = await waybill(['cancel', promotionId, '--reason', 'wrong'], { api: api.url });

    expect(status).toBe(0);
    expect(api.asked[0]?.body).toEqual({ reason: 'wrong' });
    expect(stdout).toContain(`cancelled by ${promotionId} at ${since}: wrong\n`);
    expect(stdout).toContain(`promotion ${promotionId}: cancelled\n`);
    expect(stdout).not.toContain('workers are stopping');
  });

  it('says what is still being stopped, and which tags stay', async () => {
    const tagsWritten = [{ registry: 'prod', repository: 'team-a/app', tag: '1.4.0' }];
    const running = promotion({ state: 'running', settled: false, cancellation: { ...cancellation, stops: 'the-rest', tagsWritten } });
    const api = await scriptedApi({ [cancel]: { status: 202, body: running } });

    const { stdout } = await waybill(['cancel', promotionId], { api: api.url });

    expect(api.asked[0]?.body).toEqual({});
    expect(stdout).toContain('written before, and staying: prod/team-a/app:1.4.0\n');
    expect(stdout).toContain(`workers are stopping what is under way; see: waybill status ${promotionId}\n`);
  });

  it('gives programs the whole promotion', async () => {
    const api = await scriptedApi({ [cancel]: { status: 202, body: ended } });

    expect(JSON.parse((await waybill(['cancel', promotionId, '--json'], { api: api.url })).stdout)).toEqual(ended);
  });

  it('fails with what the API says', async () => {
    const over = { status: 409, code: 'promotion-finished', title: 'The promotion has ended', detail: 'nothing is left to cancel' };
    const api = await scriptedApi({ [cancel]: problem(over) });

    expect(await waybill(['cancel', promotionId], { api: api.url })).toMatchObject({
      status: 1,
      stderr: 'waybill: nothing is left to cancel\n',
    });
  });
});

describe('waybill retry', () => {
  const retry = `POST ${promotionPath}/retry`;
  const read = `GET ${promotionPath}`;
  const taken = promotion({ state: 'requested', settled: false }, [target({ state: 'pending', outcome: undefined })]);

  it('asks under a key, and says how to follow it', async () => {
    const api = await scriptedApi({ [retry]: { status: 202, body: taken } });

    const { status, stdout } = await waybill(['retry', promotionId, '--reason', 'mended', '--idempotency-key', 'once'], { api: api.url });

    expect(status).toBe(0);
    expect(api.asked[0]).toMatchObject({ body: { reason: 'mended' }, headers: { 'idempotency-key': 'once' } });
    expect(stdout).toBe(`promotion ${promotionId} is taken up again; follow it with: waybill status ${promotionId}\n`);
  });

  it.each([
    ['succeeded', 0],
    ['partial', 3],
    ['failed', 1],
  ] as const)('waits for the end, and tells by its exit status that it %s', async (state, expected) => {
    const api = await scriptedApi({ [retry]: { status: 202, body: taken }, [read]: { body: promotion({ state }) } });

    const { status, stdout } = await waybill(['retry', promotionId, '--wait', '--json'], { api: api.url });

    expect(status).toBe(expected);
    expect(JSON.parse(stdout)).toEqual(promotion({ state }));
  });

  it('says with which key it is safe to repeat, when no answer came', async () => {
    const { status, stderr } = await waybill(['retry', promotionId, '--idempotency-key', 'mine']);

    expect(status).toBe(1);
    expect(stderr).toContain('repeat it safely with --idempotency-key mine');
  });
});

describe('waybill pause', () => {
  const create = 'POST /api/v1/pauses';

  it.each<[string, readonly string[], object]>([
    ['a path', ['--path', 'release'], { scope: 'path', name: 'release' }],
    ['a registry', ['--registry', 'prod'], { scope: 'registry', name: 'prod' }],
    ['everything', [], { scope: 'global' }],
  ])('pauses %s', async (_what, args, scope) => {
    const api = await scriptedApi({ [create]: { status: 201, body: paused } });

    const { status, stdout } = await waybill(['pause', ...args, '--reason', 'release freeze'], { api: api.url });

    expect(status).toBe(0);
    expect(api.asked[0]?.body).toEqual({ ...scope, reason: 'release freeze' });
    expect(stdout).toBe(`path release is paused: end it with waybill resume ${pauseId}\n`);
  });

  it.each<[string, readonly string[], RegExp]>([
    ['no reason', ['--path', 'release'], /--reason/],
    ['two scopes', ['--path', 'release', '--registry', 'prod', '--reason', 'x'], /cannot be used with/],
  ])('is used wrongly with %s', async (_what, args, complaint) => {
    const { status, stderr } = await waybill(['pause', ...args]);

    expect(status).toBe(2);
    expect(stderr).toMatch(complaint);
  });
});

describe('waybill resume', () => {
  const list = 'GET /api/v1/pauses';
  const ofRegistry: Pause = { ...paused, id: promotionId, scope: 'registry', name: 'prod' };
  const resumed = ({ route }: Asked) => ({
    body: { ...(route.includes(pauseId) ? paused : ofRegistry), resumedBy: promotionId, resumedAt: since },
  });
  const routes = {
    [list]: { body: { pauses: [paused, ofRegistry] } },
    [`POST /api/v1/pauses/${pauseId}/resume`]: resumed,
    [`POST /api/v1/pauses/${promotionId}/resume`]: resumed,
  };

  const registryHolds = `registry prod is still paused: release freeze (pause ${promotionId})\n`;
  const pathHolds = `path release is still paused: release freeze (pause ${pauseId})\n`;

  it.each<[string, readonly string[], string]>([
    ['the one of an id', [pauseId], `path release goes on\n${registryHolds}`],
    ['that of a path', ['--path', 'release'], `path release goes on\n${registryHolds}`],
    ['that of a registry', ['--registry', 'prod'], `registry prod goes on\n${pathHolds}`],
    ['all', ['--all'], 'path release goes on\nregistry prod goes on\n'],
  ])('ends %s', async (_what, args, said) => {
    const api = await scriptedApi(routes);

    const { status, stdout } = await waybill(['resume', ...args, '--reason', 'over'], { api: api.url });

    expect({ status, stdout }).toEqual({ status: 0, stdout: said });
    expect(api.asked.filter(({ body }) => body !== undefined).map(({ body }) => body)).toContainEqual({ reason: 'over' });
  });

  it('does not say that something goes on while everything is paused', async () => {
    const everything: Pause = { ...paused, id: promotionId, scope: 'global', name: undefined, reason: 'moving house' };
    const api = await scriptedApi({ ...routes, [list]: { body: { pauses: [paused, everything] } } });

    const { stdout } = await waybill(['resume', '--path', 'release'], { api: api.url });

    expect(stdout).toBe(`path release is resumed\neverything is still paused: moving house (pause ${promotionId})\n`);
  });

  it('fails when nothing of that is paused', async () => {
    const api = await scriptedApi(routes);

    expect(await waybill(['resume', '--path', 'hotfix'], { api: api.url })).toMatchObject({
      status: 1,
      stdout: 'nothing of that is paused\n',
    });
    expect(api.asked.map(({ route }) => route)).toContain('GET /api/v1/topology');
  });

  it.each<[string, readonly string[]]>([
    ['nothing', []],
    ['an id and a path', [pauseId, '--path', 'release']],
    ['a path and all', ['--path', 'release', '--all']],
  ])('is used wrongly with %s', async (_what, args) => {
    expect(await waybill(['resume', ...args])).toMatchObject({ status: 2 });
  });
});

describe('waybill pauses', () => {
  const list = 'GET /api/v1/pauses';

  it('lists what is paused, since when, and why', async () => {
    const api = await scriptedApi({ [list]: { body: { pauses: [paused, { ...paused, scope: 'global', name: undefined }] } } });

    const { stdout } = await waybill(['pauses'], { api: api.url });

    expect(api.asked[0]?.query.get('state')).toBe('open');
    expect(stdout).toMatch(new RegExp(`^${pauseId} +path release +${since} +– +release freeze$`, 'm'));
    expect(stdout).toMatch(/ everything /);
  });

  it('lists the history when asked to', async () => {
    const api = await scriptedApi({
      [list]: { body: { pauses: [{ ...paused, resumedAt: since, resumedBy: promotionId }], next: 'more' } },
    });

    const { stdout } = await waybill(['pauses', '--history', '--limit', '1'], { api: api.url });

    expect(Object.fromEntries(api.asked[0]?.query ?? [])).toEqual({ state: 'all', limit: '1' });
    expect(stdout).toContain('only the newest are shown');
  });

  it.each([
    [['pauses'], 'nothing is paused\n'],
    [['pauses', '--history'], 'nothing was paused yet\n'],
  ])('says that there is none: %p', async (args, said) => {
    const api = await scriptedApi({ [list]: { body: { pauses: [] } } });

    expect(await waybill(args, { api: api.url })).toMatchObject({ status: 0, stdout: said });
  });
});

describe('waybill status', () => {
  it('says which pause holds a target, who wanted it and why', async () => {
    const held = target({
      state: 'pending',
      outcome: undefined,
      finishedAt: undefined,
      waitingFor: { what: 'pause', since, pause: paused },
    });
    const api = await scriptedApi({ [`GET ${promotionPath}`]: { body: promotion({ state: 'waiting', settled: false }, [held]) } });

    const { status, stdout } = await waybill(['status', promotionId], { api: api.url });

    expect(status).toBe(5);
    expect(stdout).toContain(`prod: path release is paused by ${promotionId} since ${since}: release freeze (pause ${pauseId})\n`);
  });
});
