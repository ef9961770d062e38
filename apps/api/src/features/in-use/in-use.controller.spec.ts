import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { everything, type Grant } from '@waybill/access';
import type { InUseReporter, InUseReporterList } from '@waybill/contracts/http';
import { uuidV7 } from '@waybill/kernel';
import { digestOf } from '@waybill/oci-model';
import { allBut, type ApiUnderTest, problemIn, startApi } from '../../api-under-test.spec-helper.js';

const path = '/api/v1/in-use';
const digest = digestOf(Buffer.from('an image'));
const report = { reporter: 'cluster-a', kind: 'kubernetes', every: '5m', digests: [{ digest }] };

describe('what is in use', () => {
  let api: ApiUnderTest;

  beforeAll(async () => {
    api = await startApi();
  });
  afterAll(() => api.stop());

  const reporters = async () => ((await api.send('GET', `${path}/reporters`)).body as InUseReporterList).reporters;
  const retire = (name: string, key?: string) =>
    api.send('POST', `${path}/reporters/${name}/retire`, { body: { reason: 'gone' }, ...(key === undefined ? {} : { key }) });

  it('is what a reporter said last, once for each key', async () => {
    const headers = { 'idempotency-key': uuidV7.next() };
    const first = await api.post(path, report, { headers });

    expect(first.status).toBe(200);
    expect(first.body).toMatchObject({
      ...{ name: 'cluster-a', kind: 'kubernetes', state: 'reporting', digests: 1, everySeconds: 300 },
      covers: { registries: ['*'], repositories: ['**'] },
    });
    expect((await api.post(path, report, { headers })).text).toBe(first.text);
    await api.post(path, { ...report, digests: [], covers: { repositories: ['team-a/**'] } });
    expect(await reporters()).toMatchObject([{ digests: 0, covers: { registries: ['*'], repositories: ['team-a/**'] } }]);
  });

  it('is listed by reporter, page by page', async () => {
    for (const reporter of ['c', 'b']) await api.post(path, { ...report, reporter });

    const first = (await api.send('GET', `${path}/reporters?limit=2`)).body as InUseReporterList;
    const rest = (await api.send('GET', `${path}/reporters?limit=2&cursor=${first.next ?? ''}`)).body as InUseReporterList;

    expect([...first.reporters, ...rest.reporters].map(({ name }) => name)).toEqual(['b', 'c', 'cluster-a']);
    expect(rest).not.toHaveProperty('next');
  });

  it('is nobody else’s to say', async () => {
    const key = await api.keyWith(everything);

    expect(problemIn(await api.post(path, { ...report, digests: [] }, { key }))).toMatchObject({ status: 409, code: 'reporter-taken' });
  });

  it('is no longer missed of a reporter that was retired', async () => {
    const retired = await retire('cluster-a');

    expect(retired).toMatchObject({ status: 200, body: { state: 'retired', retireReason: 'gone', digests: 0 } });
    expect((await retire('cluster-a')).body).toEqual(retired.body);
    expect(((await api.post(path, report)).body as InUseReporter).state).toBe('reporting');
    expect(problemIn(await retire('nobody'))).toMatchObject({ status: 404, code: 'reporter-unknown' });
  });

  it.each<[string, object]>([
    ['a digest that is none', { ...report, digests: [{ digest: 'latest' }] }],
    ['a name with a slash', { ...report, reporter: 'a/b' }],
    ['an interval that is none', { ...report, every: 'often' }],
    ['an interval of nothing', { ...report, every: '0m' }],
    ['no digests', { ...report, digests: undefined }],
    ['an unknown field', { ...report, images: [] }],
    ['a pattern that is none', { ...report, covers: { repositories: ['{a,b}'] } }],
    ['nothing covered', { ...report, covers: { registries: [] } }],
  ])('is refused with %s', async (_what, body) => {
    expect(problemIn(await api.post(path, body))).toMatchObject({ status: 422, code: 'request-invalid' });
  });

  it('takes ten thousand digests, and no more', async () => {
    const digests = (count: number) => Array.from({ length: count }, (_, at) => ({ digest: digestOf(Buffer.from(String(at))) }));

    expect((await api.post(path, { ...report, digests: digests(10_000) })).body).toMatchObject({ digests: 10_000 });
    expect(problemIn(await api.post(path, { ...report, digests: digests(10_001) }))).toMatchObject({ code: 'request-invalid' });
  });

  it('is reported and retired by those who may', async () => {
    const narrow: Grant[] = [{ verbs: ['retention:approve'], paths: ['*'], repositories: ['team-a/**'] }];

    expect((await api.post(path, report, { key: await api.keyWith(allBut('in-use:report')) })).status).toBe(403);
    expect((await api.send('GET', `${path}/reporters`, { key: await api.keyWith(allBut('retention:read')) })).status).toBe(403);
    expect((await retire('cluster-a', await api.keyWith(narrow))).status).toBe(403);
  });
});
