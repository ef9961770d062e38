import { describe, expect, it } from '@jest/globals';
import type { Collection } from '@waybill/contracts/http';
import { problem, promotionId, scriptedApi, waybill } from '../scripted-api.spec-helper.js';

const id = '01920000-0000-7000-8000-0000000000cc';
const path = '/api/v1/registries/prod/collections';
const post = `POST ${path}`;
const read = `GET ${path}/${id}`;

const asked: Collection = {
  id,
  registry: 'prod',
  state: 'requested',
  dryRun: false,
  reason: 'to give space back',
  requestedBy: promotionId,
  requestedAt: '2026-05-01T10:00:00Z',
};
const over = { startedAt: '2026-05-01T10:00:01Z', finishedAt: '2026-05-01T10:00:09Z' };
const complete: Collection = {
  ...asked,
  ...over,
  state: 'complete',
  bytesBefore: 3_072,
  bytesAfter: 1_024,
  reclaimedBytes: 2_048,
  blobs: 2,
};

describe('waybill collect', () => {
  it('asks, and says how to see what became of it', async () => {
    const api = await scriptedApi({ [post]: { status: 202, body: asked } });

    const { status, stdout } = await waybill(['collect', 'prod', '--reason', 'full'], { api: api.url });

    expect(status).toBe(0);
    expect(api.asked[0]).toMatchObject({ body: { reason: 'full', dryRun: false }, headers: { 'idempotency-key': expect.any(String) } });
    expect(stdout).toBe(`collection ${id} of prod is asked for; see what became of it with: waybill collections prod\n`);
  });

  it('waits for the end, tells each state once, and what was given back', async () => {
    const states: Collection[] = [
      { ...asked, state: 'draining' },
      { ...asked, state: 'collecting' },
      { ...asked, state: 'collecting' },
      complete,
    ];
    const api = await scriptedApi({ [post]: { status: 202, body: asked }, [read]: () => ({ body: states.shift() ?? complete }) });

    const { status, stdout, stderr } = await waybill(['collect', 'prod', '--wait'], { api: api.url });

    expect(status).toBe(0);
    expect(stdout).toBe('prod gave 2.0 KiB of 3.0 KiB back, in 2 blobs\n');
    expect(stderr).toBe(
      'waiting for the "waybill up" that runs the registry\n' +
        'waiting for copies to the registry that have begun; new ones wait\n' +
        'removing what no manifest needs\n',
    );
  });

  it('goes on waiting while the API is away for a moment', async () => {
    const answers = [problem({ status: 503, code: 'unavailable', title: 'away' }), { body: complete }];
    const api = await scriptedApi({ [post]: { status: 202, body: asked }, [read]: () => answers.shift() ?? { body: complete } });

    expect(JSON.parse((await waybill(['collect', 'prod', '--wait', '--json'], { api: api.url })).stdout)).toEqual(complete);
  });

  it('says what a dry run would give back', async () => {
    const api = await scriptedApi({ [post]: { status: 202, body: { ...complete, dryRun: true } } });

    const { stdout } = await waybill(['collect', 'prod', '--wait', '--dry-run'], { api: api.url });

    expect(api.asked[0]?.body).toEqual({ reason: 'to give space back', dryRun: true });
    expect(stdout).toBe('prod would give back at most 2.0 KiB of 3.0 KiB, in 2 blobs\n');
  });

  it.each(['failed', 'refused'] as const)('fails where the collection %s', async (state) => {
    const error = { code: 'copies-run', message: 'copies run' };
    const api = await scriptedApi({ [post]: { status: 202, body: { ...asked, ...over, state, error } } });

    expect(await waybill(['collect', 'prod', '--wait'], { api: api.url })).toMatchObject({
      status: 1,
      stderr: 'prod was not collected: copies run\n',
    });
  });

  it('shows how a registry gives space back that Waybill does not run', async () => {
    const elsewhere = {
      status: 409,
      code: 'registry-not-collected',
      title: 'not ours',
      detail: 'Waybill does not run prod; it does it itself',
    };
    const api = await scriptedApi({ [post]: problem(elsewhere) });

    expect(await waybill(['collect', 'prod'], { api: api.url })).toMatchObject({
      status: 1,
      stderr: 'waybill: Waybill does not run prod; it does it itself\n',
    });
  });
});

describe('waybill collections', () => {
  const list = `GET ${path}`;

  it('lists the newest', async () => {
    const refused: Collection = { ...asked, ...over, state: 'refused', error: { code: 'copies-run', message: 'copies run' } };
    const api = await scriptedApi({ [list]: { body: { collections: [{ ...complete, dryRun: true }, refused], next: 'more' } } });

    const { status, stdout } = await waybill(['collections', 'prod', '--limit', '2'], { api: api.url });

    expect(status).toBe(0);
    expect(api.asked[0]?.query.get('limit')).toBe('2');
    expect(stdout).toContain('complete (dry run)');
    expect(stdout).toContain('at most 2.0 KiB');
    expect(stdout).toContain('to give space back: copies run');
    expect(stdout).toContain('only the newest are shown');
  });

  it.each([
    [{ collections: [] }, 'prod was not collected yet\n'],
    [{ collections: [], advice: 'it does it itself' }, 'Waybill does not run prod, and collects nothing there; it does it itself\n'],
  ])('says why there are none', async (body, told) => {
    const api = await scriptedApi({ [list]: { body } });

    expect((await waybill(['collections', 'prod'], { api: api.url })).stdout).toBe(told);
    expect(JSON.parse((await waybill(['collections', 'prod', '--json'], { api: api.url })).stdout)).toEqual(body);
  });

  it.each(['0', '201', 'many'])('takes no limit of %s', async (limit) => {
    expect((await waybill(['collections', 'prod', '--limit', limit])).status).toBe(2);
  });
});
