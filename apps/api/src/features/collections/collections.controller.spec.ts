import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Collection, CollectionList, Pause, PauseList } from '@waybill/contracts/http';
import { CollectionLeases, Database } from '@waybill/persistence';
import { allBut, type Answer, type ApiUnderTest, problemIn, startApi } from '../../api-under-test.spec-helper.js';

const address = 'http://127.0.0.1:5004';
const path = '/api/v1/registries/prod/collections';
const asked = { reason: 'the disk is full' };

const topology = `apiVersion: waybill/v1
kind: Topology
metadata: { name: spec }
locations: { eu: {} }
registries:
  ci: { role: ci-snapshots, local: true, location: eu }
  prod: { role: prod, local: true, location: eu }
  cloud: { role: prod, url: "https://123456789012.dkr.ecr.eu-west-1.amazonaws.com", location: eu }
  own: { role: prod, url: "https://registry.example.com", location: eu }
  docker-hub: { role: upstream, url: "https://registry-1.docker.io" }
paths: {}
`;

describe('collections', () => {
  let api: ApiUnderTest;
  let leases: CollectionLeases;

  beforeAll(async () => {
    api = await startApi();
    leases = new CollectionLeases(api.app.get(Database), { leaseMs: 60_000 });
  });
  afterAll(() => api.stop());

  const collectionIn = (answer: Answer) => answer.body as Collection;
  const list = async (query = '') => (await api.send('GET', `${path}${query}`)).body as CollectionList;

  async function claim() {
    const lease = await leases.claimNext([{ name: 'prod', address }], 'spec');
    if (lease === undefined) throw new Error('there is nothing to claim');
    return lease;
  }

  async function complete(): Promise<void> {
    await leases.complete(await claim(), { bytesBefore: 300, bytesAfter: 100, blobs: 2, log: 'blob eligible for deletion' });
  }

  it('need a topology', async () => {
    expect(problemIn(await api.post(path, asked))).toMatchObject({ status: 409, code: 'no-topology' });
  });

  describe('of a topology', () => {
    beforeAll(async () => {
      await api.send('PUT', '/api/v1/topology', { body: { source: topology } });
      await api.send('PUT', '/api/v1/registries/prod/address', { body: { address } });
    });
    afterEach(async () => {
      if ((await list()).collections.some(({ finishedAt }) => finishedAt === undefined)) await complete();
    });

    it('are asked for, read and listed', async () => {
      const made = await api.post(path, { ...asked, dryRun: true });
      const collection = collectionIn(made);

      expect(made.status).toBe(202);
      expect(made.headers.get('location')).toBe(`${path}/${collection.id}`);
      expect(collection).toMatchObject({ registry: 'prod', state: 'requested', dryRun: true, reason: 'the disk is full' });
      expect(collectionIn(await api.send('GET', `${path}/${collection.id}`))).toEqual(collection);
      await complete();
      expect(collectionIn(await api.send('GET', `${path}/${collection.id}`))).toMatchObject({
        state: 'complete',
        bytesBefore: 300,
        bytesAfter: 100,
        reclaimedBytes: 200,
        blobs: 2,
        log: 'blob eligible for deletion',
        finishedAt: expect.any(String),
      });

      const next = collectionIn(await api.post(path, asked));
      const first = await list('?limit=1');
      expect(first.collections.map(({ id }) => id)).toEqual([next.id]);
      expect((await list(`?limit=1&cursor=${first.next ?? ''}`)).collections.map(({ id }) => id)).toEqual([collection.id]);
    });

    it('are one at a time, and one for one key', async () => {
      const headers = { 'idempotency-key': 'collect' };
      const first = await api.post(path, asked, { headers });

      expect((await api.post(path, asked, { headers })).text).toBe(first.text);
      expect(problemIn(await api.post(path, asked))).toMatchObject({
        status: 409,
        code: 'already-collecting',
        detail: expect.stringContaining(collectionIn(first).id),
      });
      expect(problemIn(await api.post('/api/v1/registries/ci/collections', asked, { headers }))).toMatchObject({
        code: 'idempotency-key-reused',
      });
    });

    it('hold copies by a pause that everybody sees and only their end ends', async () => {
      await api.post(path, asked);
      const lease = await claim();
      await leases.beginDraining(lease, 60_000);
      const [pause] = ((await api.send('GET', '/api/v1/pauses')).body as PauseList).pauses;

      expect(pause).toMatchObject({ scope: 'collection', name: 'prod', reason: 'the disk is full' });
      const resume = `/api/v1/pauses/${pause?.id ?? ''}/resume`;
      expect(problemIn(await api.send('POST', resume, { body: {} }))).toMatchObject({ status: 409, code: 'pause-of-collection' });
      expect((await list()).collections[0]).toMatchObject({ state: 'draining', drainUntil: expect.any(String) });
      await leases.giveUp(lease, 'refused', { code: 'copies-run', message: 'copies run', operation: 'spec', retryable: true });
      expect((await api.send('GET', `/api/v1/pauses/${pause?.id ?? ''}`)).body as Pause).toMatchObject({ resumedAt: expect.any(String) });
      expect((await list()).collections[0]).toMatchObject({ state: 'refused', error: { code: 'copies-run', message: 'copies run' } });
    });

    it.each([
      ['cloud', 'ECR gives the space of what was deleted back by itself'],
      ['docker-hub', 'Docker Hub gives the space'],
      ['own', 'never with --delete-untagged'],
    ])('are not made of %s, which is told how it gives space back', async (name, advice) => {
      const elsewhere = `/api/v1/registries/${name}/collections`;

      expect(problemIn(await api.post(elsewhere, asked))).toMatchObject({
        status: 409,
        code: 'registry-not-collected',
        detail: expect.stringContaining(advice),
      });
      const listed = (await api.send('GET', elsewhere)).body as CollectionList;
      expect(listed).toEqual({ advice: expect.stringContaining(advice), collections: [] });
    });

    it.each<[string, string, object, number, string]>([
      ['a registry that is unknown', '/api/v1/registries/prodd/collections', asked, 404, 'registry-unknown'],
      ['no reason', path, {}, 422, 'request-invalid'],
      ['an empty reason', path, { reason: '' }, 422, 'request-invalid'],
      ['a field that is unknown', path, { ...asked, deleteUntagged: true }, 422, 'request-invalid'],
    ])('are refused for %s', async (_what, where, body, status, code) => {
      expect(problemIn(await api.post(where, body))).toMatchObject({ status, code });
    });

    it('are unknown under an id that nobody made, and under another registry’s name', async () => {
      const { id } = collectionIn(await api.post(path, asked));

      for (const where of [`${path}/nothing`, `${path}/01900000-0000-7000-8000-000000000000`, `/api/v1/registries/ci/collections/${id}`]) {
        expect(problemIn(await api.send('GET', where))).toMatchObject({ status: 404, code: 'collection-unknown' });
      }
    });

    it('are not made by a key of some repositories, which hold back everybody’s copies', async () => {
      const key = await api.keyWith([{ verbs: ['registries:collect'], paths: ['*'], repositories: ['team-a/**'] }]);

      for (const dryRun of [false, true]) {
        expect(problemIn(await api.post(path, { ...asked, dryRun }, { key }))).toMatchObject({ status: 403, code: 'forbidden' });
      }
      expect((await api.send('GET', path, { key })).status).toBe(200);
    });

    it('are for keys that may', async () => {
      const key = await api.keyWith(allBut('registries:collect'));

      for (const answer of [await api.post(path, asked, { key }), await api.send('GET', path, { key })]) {
        expect(problemIn(answer)).toMatchObject({ status: 403, code: 'forbidden' });
      }
    });
  });
});
