import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Grant } from '@waybill/access';
import type { Hold, HoldList } from '@waybill/contracts/http';
import { uuidV7 } from '@waybill/kernel';
import { allBut, type ApiUnderTest, problemIn, startApi } from '../../api-under-test.spec-helper.js';
import { releaseTopology } from '../../registries-under-test.spec-helper.js';
import { applyTopology, digestNamed } from './retention.spec-helper.js';

const path = '/api/v1/retention/holds';
const digest = digestNamed('an image');
const ofRepository = { scope: 'repository', repository: 'team-a/app', reason: 'audit' };

describe('holds', () => {
  let api: ApiUnderTest;

  beforeAll(async () => {
    api = await startApi();
    await applyTopology(api, releaseTopology);
  });
  afterAll(() => api.stop());

  const open = async (key?: string) => ((await api.send('GET', path, key === undefined ? {} : { key })).body as HoldList).holds;
  const release = (id: string, body: object = {}, key?: string) =>
    api.send('POST', `${path}/${id}/release`, { body, ...(key === undefined ? {} : { key }) });
  beforeEach(async () => {
    for (const { id } of await open()) await release(id);
  });

  it.each<[string, object]>([
    ['a repository', ofRepository],
    ['a repository of a registry', { ...ofRepository, registry: 'prod' }],
    ['a tag', { scope: 'tag', repository: 'team-a/app', tag: '1.0.0', reason: 'audit' }],
    ['a digest', { scope: 'digest', digest, reason: 'audit' }],
    [
      'a digest in a repository until May',
      { scope: 'digest', repository: 'a', digest, reason: 'x', expiresAt: '2100-05-01T00:00:00.000Z' },
    ],
  ])('are placed on %s, found, and ended', async (_what, body) => {
    const made = await api.post(path, body);
    const hold = made.body as Hold;

    expect(made.status).toBe(201);
    expect(made.headers.get('location')).toBe(`${path}/${hold.id}`);
    expect(hold).toMatchObject(body);
    expect(await open()).toEqual([hold]);
    expect((await api.send('GET', `${path}/${hold.id}`)).body).toEqual(hold);

    const ended = await release(hold.id, { reason: 'over' });

    expect(ended).toMatchObject({ status: 200, body: { ...hold, releaseReason: 'over', releasedBy: hold.placedBy } });
    expect((await release(hold.id, { reason: 'again' })).body).toEqual(ended.body);
    expect(await open()).toEqual([]);
    expect(((await api.send('GET', `${path}?state=all&limit=1`)).body as HoldList).holds).toEqual([ended.body]);
  });

  it('are placed once for each key', async () => {
    const headers = { 'idempotency-key': uuidV7.next() };

    const made = await api.post(path, ofRepository, { headers });

    expect((await api.post(path, ofRepository, { headers })).text).toBe(made.text);
    expect(await open()).toHaveLength(1);
  });

  it('are listed page by page', async () => {
    for (const reason of ['one', 'two', 'three']) await api.post(path, { ...ofRepository, reason });

    const first = (await api.send('GET', `${path}?limit=2`)).body as HoldList;
    const rest = (await api.send('GET', `${path}?limit=2&cursor=${first.next ?? ''}`)).body as HoldList;

    expect([...first.holds, ...rest.holds].map(({ reason }) => reason)).toEqual(['three', 'two', 'one']);
  });

  it.each<[string, object, number, string]>([
    ['a registry that is unknown', { ...ofRepository, registry: 'prodd' }, 404, 'registry-unknown'],
    ['no reason', { scope: 'repository', repository: 'team-a/app' }, 422, 'request-invalid'],
    ['a repository without a name', { scope: 'repository', reason: 'x' }, 422, 'request-invalid'],
    ['a tag without a repository', { scope: 'tag', tag: '1.0.0', reason: 'x' }, 422, 'request-invalid'],
    ['a repository with a tag', { ...ofRepository, tag: '1.0.0' }, 422, 'request-invalid'],
    ['a digest without one', { scope: 'digest', reason: 'x' }, 422, 'request-invalid'],
    ['a glob for a repository', { ...ofRepository, repository: 'team-a/*' }, 422, 'request-invalid'],
    ['a time that is none', { ...ofRepository, expiresAt: 'tomorrow' }, 422, 'request-invalid'],
  ])('are refused for %s', async (_what, body, status, code) => {
    expect(problemIn(await api.post(path, body))).toMatchObject({ status, code });
    expect(await open()).toEqual([]);
  });

  it('are unknown under an id that nobody made', async () => {
    for (const id of ['nothing', uuidV7.next()]) {
      expect(problemIn(await api.send('GET', `${path}/${id}`))).toMatchObject({ status: 404, code: 'hold-unknown' });
      expect(problemIn(await release(id))).toMatchObject({ status: 404, code: 'hold-unknown' });
    }
  });

  it('are placed, seen and ended by those who may do that in the repository', async () => {
    const grants: Grant[] = [
      ...allBut('retention:hold').map((grant) => ({ ...grant, verbs: grant.verbs.filter((verb) => verb !== 'retention:read') })),
      { verbs: ['retention:hold', 'retention:read'], paths: ['*'], repositories: ['team-a/**'] },
    ];
    const key = await api.keyWith(grants);
    const foreign = { ...ofRepository, repository: 'team-b/app' };

    expect((await api.post(path, ofRepository, { key })).status).toBe(201);
    expect((await api.post(path, foreign, { key })).status).toBe(403);
    expect((await api.post(path, { scope: 'digest', digest, reason: 'x' }, { key })).status).toBe(403);
    const hidden = (await api.post(path, foreign)).body as Hold;

    expect((await open(key)).map(({ repository }) => repository)).toEqual(['team-a/app']);
    expect(problemIn(await api.send('GET', `${path}/${hidden.id}`, { key }))).toMatchObject({ code: 'hold-unknown' });
    expect((await release(hidden.id, {}, key)).status).toBe(403);
  });
});
