import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CreatedKey, KeyList } from '@waybill/contracts/http';
import { allBut, type ApiUnderTest, problemIn, startApi } from '../../api-under-test.spec-helper.js';

const path = '/api/v1/keys';
const readAll = [{ verbs: ['promotions:read'], paths: ['*'], repositories: ['**'] }];

describe('API keys', () => {
  let api: ApiUnderTest;

  beforeAll(async () => {
    api = await startApi();
  });
  afterAll(() => api.stop());

  const create = async (body: unknown) => (await api.post(path, body)).body as CreatedKey;

  it('are made, work, are listed without their secret, and end at once when revoked', async () => {
    const answer = await api.post(path, { subject: 'pipeline', grants: readAll });
    const { key, details } = answer.body as CreatedKey;

    expect(answer.status).toBe(201);
    expect(answer.headers.get('location')).toBe(`${path}/${details.id}`);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(details).toMatchObject({ principal: { kind: 'service', issuer: 'waybill', subject: 'pipeline' }, grants: readAll });
    expect((await api.send('GET', '/api/v1/promotions', { key: key ?? '' })).status).toBe(200);

    const listed = await api.send('GET', path);
    expect((listed.body as KeyList).keys.find(({ id }) => id === details.id)).toEqual(details);
    expect(listed.text).not.toContain(key);

    expect((await api.send('DELETE', `${path}/${details.id}`)).status).toBe(204);
    expect(problemIn(await api.send('GET', '/api/v1/promotions', { key: key ?? '' }))).toMatchObject({ status: 401 });
    expect((await api.send('DELETE', `${path}/${details.id}`)).status).toBe(204);
  });

  it('are shown once: a repetition gets the details alone', async () => {
    const sending = { headers: { 'idempotency-key': 'one-key' } };
    const first = await api.post(path, { subject: 'once', grants: readAll }, sending);
    const [second, third] = [
      await api.post(path, { subject: 'once', grants: readAll }, sending),
      await api.post(path, { subject: 'once', grants: readAll }, sending),
    ];

    expect(second.status).toBe(201);
    expect(second.body).toEqual({ details: (first.body as CreatedKey).details });
    expect(second.headers.get('location')).toBe(first.headers.get('location'));
    expect(third.text).toBe(second.text);
    const { keys } = (await api.send('GET', path)).body as KeyList;
    expect(keys.filter(({ principal }) => principal.subject === 'once')).toHaveLength(1);
  });

  it('belong to one principal when they are made for one subject', async () => {
    const [one, other] = [await create({ subject: 'twice', grants: readAll }), await create({ subject: 'twice', grants: readAll })];

    expect(one.details.principal.id).toBe(other.details.principal.id);
    expect(one.details.id).not.toBe(other.details.id);
  });

  it('end when they expire', async () => {
    const { key, details } = await create({ subject: 'past', grants: readAll, expiresAt: '2020-01-01T00:00:00Z' });

    expect(details.expiresAt).toBe('2020-01-01T00:00:00.000Z');
    expect(problemIn(await api.send('GET', '/api/v1/promotions', { key: key ?? '' }))).toMatchObject({ status: 401 });
  });

  it('never grant more than the key that makes them', async () => {
    const held = { verbs: ['keys:manage', 'promotions:create'] as const, paths: ['release'], repositories: ['team-a/**'] };
    const key = await api.keyWith([held]);
    const ask = (...grants: object[]) => api.post(path, { subject: 'x', grants }, { key });

    expect((await ask({ ...held, repositories: ['team-a/app'] })).status).toBe(201);
    const refused = await ask({ ...held }, { ...held, verbs: ['topology:apply'] }, { ...held, repositories: ['**'] });
    expect(problemIn(refused)).toMatchObject({
      status: 403,
      code: 'forbidden',
      errors: [{ pointer: '/grants/1' }, { pointer: '/grants/2' }],
    });
  });

  it('of a stronger principal are neither made, seen nor revoked by a weaker key', async () => {
    const weak = [{ verbs: ['keys:manage', 'promotions:read'] as const, paths: ['*'], repositories: ['**'] }];
    const key = await api.keyWith(weak);
    const strong = await create({ subject: 'strong', grants: [{ ...weak[0], verbs: ['topology:apply'] }] });
    const asked = { subject: 'strong', grants: readAll };

    expect(problemIn(await api.post(path, asked, { key }))).toMatchObject({
      status: 403,
      code: 'forbidden',
      errors: [{ pointer: '/subject' }],
    });
    const listed = (await api.send('GET', path, { key })).body as KeyList;
    expect(listed.keys.length).toBeGreaterThan(0);
    expect(listed.keys.flatMap(({ grants }) => grants.flatMap(({ verbs }) => verbs))).not.toContain('topology:apply');
    const refused = await api.send('DELETE', `${path}/${strong.details.id}`, { key });
    expect(problemIn(refused)).toMatchObject({ status: 404, code: 'key-unknown' });
    expect((await api.send('GET', '/api/v1/topology', { key: strong.key ?? '' })).status).toBe(403);

    expect((await api.send('DELETE', `${path}/${strong.details.id}`)).status).toBe(204);
    expect((await api.post(path, asked, { key })).status).toBe(201);
  });

  it('cannot be made for the administrator of the environment', async () => {
    const { keys } = (await api.send('GET', path)).body as KeyList;
    const admin = keys.find(({ principal }) => principal.issuer === 'waybill:environment');

    const { details } = await create({ subject: 'admin', grants: readAll });

    expect(admin?.principal.subject).toBe('admin');
    expect(details.principal.id).not.toBe(admin?.principal.id);
  });

  it.each<[string, unknown, string]>([
    ['an unknown verb', { subject: 'x', grants: [{ ...readAll[0], verbs: ['everything'] }] }, '/grants/0/verbs/0'],
    ['no grant', { subject: 'x', grants: [] }, '/grants'],
    ['no subject', { grants: readAll }, '/subject'],
    ['a subject that no database keeps', { subject: 'x\0', grants: readAll }, '/subject'],
    ['a local time', { subject: 'x', grants: readAll, expiresAt: '2030-01-01T00:00:00' }, '/expiresAt'],
    ['alternatives in a pattern', { subject: 'x', grants: [{ ...readAll[0], repositories: ['{a,b}'] }] }, '/grants/0/repositories/0'],
    ['`**` within a segment', { subject: 'x', grants: [{ ...readAll[0], repositories: ['team-**'] }] }, '/grants/0/repositories/0'],
    ['an empty segment', { subject: 'x', grants: [{ ...readAll[0], repositories: ['a//b'] }] }, '/grants/0/repositories/0'],
    ['a path with a slash', { subject: 'x', grants: [{ ...readAll[0], paths: ['a/b'] }] }, '/grants/0/paths/0'],
  ])('are not made with %s', async (_title, body, pointer) => {
    expect(problemIn(await api.post(path, body))).toMatchObject({ status: 422, code: 'request-invalid', errors: [{ pointer }] });
  });

  it('are not made without an Idempotency-Key', async () => {
    const refused = await api.send('POST', path, { body: { subject: 'x', grants: readAll } });

    expect(problemIn(refused)).toMatchObject({ status: 400, code: 'idempotency-key-missing' });
  });

  it.each(['unknown', '01a20000-0000-7000-8000-000000000000', '%00'])('are not revoked by the id %j', async (id) => {
    expect(problemIn(await api.send('DELETE', `${path}/${encodeURIComponent(id)}`))).toMatchObject({ status: 404, code: 'key-unknown' });
  });

  it('are listed page after page, oldest first', async () => {
    for (const subject of ['page-1', 'page-2', 'page-3']) await create({ subject, grants: readAll });
    const whole = ((await api.send('GET', path)).body as KeyList).keys;
    const keys: unknown[] = [];
    let next: string | undefined = '';
    while (next !== undefined) {
      const page = (await api.send('GET', `${path}?limit=2${next === '' ? '' : `&cursor=${next}`}`)).body as KeyList;
      keys.push(...page.keys);
      next = page.next;
    }

    expect(keys).toEqual(whole);
    expect(whole.map(({ principal }) => principal.subject).slice(-3)).toEqual(['page-1', 'page-2', 'page-3']);
    expect(problemIn(await api.send('GET', `${path}?cursor=x`))).toMatchObject({ status: 422, code: 'request-invalid' });
  });

  it('need the verb', async () => {
    const key = await api.keyWith(allBut('keys:manage'));
    const answers = [
      await api.send('GET', path, { key }),
      await api.post(path, { subject: 'x', grants: readAll }, { key }),
      await api.send('DELETE', `${path}/unknown`, { key }),
    ];

    for (const answer of answers) expect(problemIn(answer)).toMatchObject({ status: 403, code: 'forbidden' });
  });
});
