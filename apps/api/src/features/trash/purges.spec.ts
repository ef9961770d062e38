import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Purge, PurgedManifests, PurgeList } from '@waybill/contracts/http';
import { digestOf, parseRepositoryName } from '@waybill/oci-model';
import { Database, PurgeRecords, TrashRequestLeases } from '@waybill/persistence';
import { allBut, type ApiUnderTest, problemIn, startApi } from '../../api-under-test.spec-helper.js';
import { releaseTopology } from '../../registries-under-test.spec-helper.js';

const path = '/api/v1/retention/purges';
const digest = digestOf(Buffer.from('leaked'));
const app = parseRepositoryName('team-a/app');
const asked = { registry: 'prod', repository: app, digest, reason: 'a key leaked' };
const notGone = { code: 'unsupported', message: 'the registry deletes nothing', operation: 'spec', retryable: false };

describe('purges', () => {
  let api: ApiUnderTest;

  beforeAll(async () => {
    api = await startApi();
    await api.send('PUT', '/api/v1/topology', { body: { source: releaseTopology } });
  });
  afterAll(() => api.stop());

  /** Does what a worker does with the purge that waits. */
  async function carryOut(end: 'gone' | 'not gone'): Promise<void> {
    const database = api.app.get(Database);
    const leases = new TrashRequestLeases(database, { leaseMs: 60_000 });
    const lease = await leases.claimNext('spec');
    if (lease === undefined) throw new Error('nothing waits');
    const records = new PurgeRecords(database, lease, app);
    await records.intend(digest, [digest]);
    await (end === 'gone' ? records.settle(digest) : records.note(digest, notGone, true));
    await leases.finish(lease);
  }

  it('are asked for, read and listed', async () => {
    const made = await api.post(path, asked);
    const purge = made.body as Purge;

    expect(made.status).toBe(202);
    expect(made.headers.get('location')).toBe(`${path}/${purge.id}`);
    expect(purge).toMatchObject({ ...asked, state: 'requested', deleted: 0, failed: 0, open: 1 });
    await carryOut('gone');
    expect((await api.send('GET', `${path}/${purge.id}`)).body).toMatchObject({ state: 'succeeded', deleted: 1, open: 0 });
    expect((await api.send('GET', `${path}/${purge.id}/manifests`)).body).toEqual({
      manifests: [{ repository: app, digest, state: 'deleted' }],
    });

    const next = (await api.post(path, asked)).body as Purge;
    await carryOut('not gone');
    const { manifests } = (await api.send('GET', `${path}/${next.id}/manifests`)).body as PurgedManifests;
    expect(manifests).toEqual([{ repository: app, digest, state: 'failed', error: { code: notGone.code, message: notGone.message } }]);
    const first = (await api.send('GET', `${path}?limit=1`)).body as PurgeList;
    const rest = (await api.send('GET', `${path}?cursor=${first.next ?? ''}`)).body as PurgeList;
    expect([...first.purges, ...rest.purges].map(({ id, state }) => [id, state])).toEqual([
      [next.id, 'failed'],
      [purge.id, 'succeeded'],
    ]);
  });

  it('are refused of what somebody holds, until it is released', async () => {
    const held = { scope: 'digest', digest, reason: 'evidence' };
    const { id } = (await api.post('/api/v1/retention/holds', held)).body as { readonly id: string };

    expect(problemIn(await api.post(path, asked))).toMatchObject({ status: 409, code: 'held', detail: expect.stringContaining(id) });
    await api.send('POST', `/api/v1/retention/holds/${id}/release`, { body: {} });
    expect((await api.post(path, asked)).status).toBe(202);
    await carryOut('gone');
  });

  it.each<[string, object, number, string]>([
    ['a registry that is unknown', { ...asked, registry: 'prodd' }, 404, 'registry-unknown'],
    ['a digest that was seen nowhere', { registry: 'prod', digest: digestOf(Buffer.from('never')), reason: 'x' }, 404, 'nowhere-to-purge'],
    ['no digest', { registry: 'prod', repository: app, reason: 'x' }, 422, 'request-invalid'],
    ['a tag', { ...asked, tag: '1.0.0' }, 422, 'request-invalid'],
    ['no reason', { ...asked, reason: '' }, 422, 'request-invalid'],
  ])('are refused for %s', async (_what, body, status, code) => {
    expect(problemIn(await api.post(path, body))).toMatchObject({ status, code });
  });

  it('are for keys that may, in their repositories', async () => {
    const { id } = (await api.post(path, asked)).body as Purge;
    await carryOut('gone');
    const key = await api.keyWith([{ verbs: ['retention:read', 'retention:purge'], paths: ['*'], repositories: ['team-b/**'] }]);
    const { repository: _none, ...everywhere } = asked;

    for (const body of [asked, everywhere]) expect(problemIn(await api.post(path, body, { key }))).toMatchObject({ code: 'forbidden' });
    const restorer = await api.keyWith(allBut('retention:purge'));
    expect(problemIn(await api.post(path, asked, { key: restorer }))).toMatchObject({ status: 403, code: 'forbidden' });
    for (const unknown of [id, 'nothing']) {
      expect(problemIn(await api.send('GET', `${path}/${unknown}`, { key }))).toMatchObject({ status: 404, code: 'purge-unknown' });
    }
  });
});
