import { describe, expect, it } from '@jest/globals';
import { digest, problem, promotion, promotionId, scriptedApi, target, waybill } from '../scripted-api.spec-helper.js';

const read = `GET /api/v1/promotions/${promotionId}`;
const list = 'GET /api/v1/promotions';

describe('waybill status ID', () => {
  it('shows each target with its outcome', async () => {
    const targets = [
      target(),
      target({ registry: 'prod-us', requirement: 'best-effort', state: 'copying', outcome: undefined, finishedAt: undefined }),
    ];
    const api = await scriptedApi({
      [read]: { body: promotion({ settled: false, finishedAt: '2026-05-01T10:00:02Z', reason: 'release day' }, targets) },
    });

    const { status, stdout } = await waybill(['status', promotionId], { api: api.url });

    expect(status).toBe(0);
    expect(stdout.split('\n').slice(0, 2)).toEqual([
      `ci-snapshots/team-a/app:1.4.0@${digest} along path "release"`,
      'requested 2026-05-01T10:00:00Z: release day',
    ]);
    expect(stdout).toMatch(/^prod +team-a\/app:1\.4\.0 +sha256:abababababab +copied +2\.0 KiB +– +1\.250$/m);
    expect(stdout).toMatch(/^prod-us \(replica\) .* copying .* –$/m);
    expect(stdout).toContain(`promotion ${promotionId}: succeeded (replicas are still on their way)`);
  });

  it('tells by its exit status that there is no end yet', async () => {
    const api = await scriptedApi({ [read]: { body: promotion({ state: 'running', settled: false }) } });

    expect(await waybill(['status', promotionId], { api: api.url })).toMatchObject({ status: 5 });
  });

  it('says which worker a target waits for', async () => {
    const since = '2026-05-01T10:00:00Z';
    const waiting = target({ state: 'pending', outcome: undefined, finishedAt: undefined, waitingFor: { what: 'worker', since } });
    const api = await scriptedApi({ [read]: { body: promotion({ state: 'requested', settled: false }, [waiting]) } });

    const { stdout } = await waybill(['status', promotionId], { api: api.url });

    expect(stdout).toContain(`prod: waiting for a worker at location "eu", since ${since}\n`);
  });

  it('gives programs the whole promotion', async () => {
    const api = await scriptedApi({ [read]: { body: promotion() } });

    const { stdout } = await waybill(['status', promotionId, '--json'], { api: api.url });

    expect(JSON.parse(stdout)).toEqual(promotion());
  });

  it('says that there is none', async () => {
    const none = { status: 404, code: 'promotion-unknown', title: 'No such promotion', detail: 'there is no such promotion' };
    const api = await scriptedApi({ 'GET /api/v1/promotions/a%2Fb': problem(none) });

    expect(await waybill(['status', 'a/b'], { api: api.url })).toMatchObject({
      status: 1,
      stderr: 'waybill: there is no such promotion\n',
    });
  });
});

describe('waybill status', () => {
  const image = { repository: 'team-a/app', tag: '1.4.0', digest };
  const summary = (facts: object = {}) => ({ ...promotion(), image, items: 1, ...facts });
  const summaries = { promotions: [summary({ reason: 'release day' })], next: 'cursor' };

  it('lists as many as were asked for, and says that there are more', async () => {
    const api = await scriptedApi({ [list]: { body: summaries } });

    const { stdout } = await waybill(['status', '--limit', '1'], { api: api.url });

    expect(api.asked[0]?.query.get('limit')).toBe('1');
    expect(stdout).toMatch(
      new RegExp(`^${promotionId} +team-a/app:1\\.4\\.0 +release +succeeded +2026-05-01T10:00:00Z +release day$`, 'm'),
    );
    expect(stdout).toContain('see --limit');
  });

  it('names the images that have no tag by their digest, and counts those beside the first', async () => {
    const untagged = { repository: 'team-a/app', digest };
    const promotions = [summary({ image: untagged }), summary({ items: 3 })];
    const api = await scriptedApi({ [list]: { body: { promotions } } });

    const { stdout } = await waybill(['status'], { api: api.url });

    expect(stdout).toMatch(/ team-a\/app@sha256:abababababab +release /);
    expect(stdout).toMatch(/ team-a\/app:1\.4\.0 and 2 more +release /);
  });

  it('says so when there are none', async () => {
    const api = await scriptedApi({ [list]: { body: { promotions: [] } } });

    expect(await waybill(['status'], { api: api.url })).toEqual({
      status: 0,
      stdout: 'no promotion that this key may read was requested yet\n',
      stderr: '',
    });
  });

  it('says why there may be none of the names that were given', async () => {
    const revision = { number: 1, name: 'test', hash: 'ab', appliedBy: promotionId, appliedAt: '2026-05-01T10:00:00Z' };
    const registries = [{ name: 'ci-snapshots', role: 'ci-snapshots', local: true }];
    const paths = [{ name: 'release', from: 'ci-snapshots', to: [] }];
    const api = await scriptedApi({
      [list]: { body: { promotions: [] } },
      'GET /api/v1/topology': { body: { revision, registries, paths, replications: [], source: '' } },
    });
    const said = async (...args: string[]) => (await waybill(['status', ...args], { api: api.url })).stdout.split('\n').slice(1, -1);

    expect(await said('--path', 'relase')).toEqual(['the topology has no path "relase"', '  did you mean release?']);
    expect(await said('--repository', 'ci-snapshots/team-a/app')).toEqual(['a repository is named without its registry: team-a/app']);
    expect(await said('--path', 'release', '--repository', 'team-a/app')).toEqual([]);
  });

  it('asks for what its promotions have in common', async () => {
    const api = await scriptedApi({ [list]: { body: { promotions: [] } } });

    const { stdout } = await waybill(
      [
        ...['status', '--state', 'failed', '--path', 'release', '--repository', 'team-a/app', '--digest', digest, '--tag', '1.4.0'],
        ...['--by', promotionId, '--since', '2026-05-01', '--until', '2026-05-02T10:00:00+02:00'],
      ],
      { api: api.url },
    );

    expect(Object.fromEntries(api.asked[0]?.query ?? [])).toEqual({
      ...{ limit: '20', state: 'failed', path: 'release', repository: 'team-a/app', digest, tag: '1.4.0', principal: promotionId },
      ...{ requestedAfter: '2026-05-01T00:00:00.000Z', requestedBefore: '2026-05-02T08:00:00.000Z' },
    });
    expect(stdout).toBe('no promotion that this key may read is like that\n');
  });

  it('follows short pages until it has as many as were asked for', async () => {
    const pages = [
      { promotions: [], next: 'one' },
      { promotions: [summary({ reason: 'first' })], next: 'two' },
      { promotions: [summary({ reason: 'second' })], next: 'three' },
    ];
    const api = await scriptedApi({ [list]: () => ({ body: pages.shift() }) });

    const { stdout } = await waybill(['status', '--state', 'failed', '--limit', '2', '--json'], { api: api.url });

    expect(JSON.parse(stdout)).toMatchObject({ promotions: [{ reason: 'first' }, { reason: 'second' }], next: 'three' });
    expect(api.asked.map(({ query }) => [query.get('limit'), query.get('cursor')])).toEqual([
      ['2', null],
      ['2', 'one'],
      ['1', 'two'],
    ]);
  });

  it('gives programs the page', async () => {
    const api = await scriptedApi({ [list]: { body: summaries } });

    const { stdout } = await waybill(['status', '--limit', '1', '--json'], { api: api.url });

    expect(JSON.parse(stdout)).toMatchObject({ promotions: [{ id: promotionId }], next: 'cursor' });
  });
});
