import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AcceptedRegistryCheck, RegistryCheck, RegistryList } from '@waybill/contracts/http';
import { uuidV7 } from '@waybill/kernel';
import { type RegistryReport, unknownCapabilities } from '@waybill/oci-model';
import { CheckLeases, Database } from '@waybill/persistence';
import { allBut, type ApiUnderTest, problemIn, startApi } from '../../api-under-test.spec-helper.js';
import { releaseTopology } from '../../registries-under-test.spec-helper.js';

const path = '/api/v1/registry-checks';

const report: RegistryReport = {
  checkedAt: '2026-05-01T10:00:00.000Z',
  scope: 'write',
  probes: [
    { probe: 'reachable', ms: 3, outcome: 'ok' },
    { probe: 'read', ms: 2, outcome: 'ok' },
    { probe: 'write', ms: 2, outcome: 'failed', code: 'denied', message: 'prod answered 403', advice: 'grant it' },
    { probe: 'push', ms: 0, outcome: 'skipped', why: 'write gave no answer to build on' },
  ],
  capabilities: { ...unknownCapabilities, mount: true, referrersApi: false },
  clockSkewMs: -3,
  leftBehind: { repositories: ['waybill-check/one'], manifests: 1, blobs: 2, bytes: 300 },
};

describe('checks of registries', () => {
  let api: ApiUnderTest;
  beforeAll(async () => {
    api = await startApi();
  });
  afterAll(() => api.stop());

  const checkOf = async (id: string) => (await api.send('GET', `${path}/${id}`)).body as RegistryCheck;

  /** Does what a worker does with what waits for it; `found` says what it finds, by name of the registry. */
  async function work(found: Readonly<Record<string, RegistryReport>>): Promise<void> {
    const leases = new CheckLeases(api.app.get(Database), { leaseMs: 60_000 });
    for (let lease = await leases.claimNext('all', 'spec'); lease !== undefined; lease = await leases.claimNext('all', 'spec')) {
      const loaded = await leases.load(lease);
      const result = found[loaded?.registry.name ?? ''];
      const error = { code: 'unreachable', message: 'it is not running', operation: 'connect', retryable: true };
      await leases.finish(lease, result === undefined ? { error } : { report: result });
    }
  }

  it('need a topology', async () => {
    expect(problemIn(await api.post(path, {}))).toMatchObject({ status: 409, code: 'no-topology' });
  });

  describe('of a topology', () => {
    beforeAll(async () => {
      await api.send('PUT', '/api/v1/topology', { body: { source: releaseTopology } });
    });

    it('are accepted for every registry unless said, each from its own location', async () => {
      const all = await api.post(path, {});
      const one = await api.post(path, { registries: ['prod', 'prod'] });

      expect(all.status).toBe(202);
      const accepted = all.body as AcceptedRegistryCheck;
      expect(accepted).toMatchObject({
        revision: 1,
        registries: [
          { name: 'ci-snapshots', location: 'eu' },
          { name: 'prod', location: 'eu' },
          { name: 'prod-us', location: 'us' },
        ],
      });
      expect(all.headers.get('location')).toBe(`${path}/${accepted.id}`);
      expect(one.body).toMatchObject({ registries: [{ name: 'prod', location: 'eu' }] });
      expect(await checkOf(accepted.id)).toMatchObject({
        id: accepted.id,
        finished: false,
        registries: [{ name: 'ci-snapshots', state: 'queued' }, { name: 'prod' }, { name: 'prod-us' }],
      });
      await work({});
    });

    it('are accepted once, whoever repeats the request', async () => {
      const headers = { 'idempotency-key': uuidV7.next() };
      const first = await api.post(path, { registries: ['prod'] }, { headers });
      const again = await api.post(path, { registries: ['prod'] }, { headers });

      expect(again.body).toEqual(first.body);
      expect(problemIn(await api.post(path, {}, { headers }))).toMatchObject({ code: 'idempotency-key-reused' });
      await work({});
    });

    it('show what was found, what the topology needs and does not get, and what went wrong', async () => {
      const { id } = (await api.post(path, { registries: ['prod', 'prod-us'] })).body as AcceptedRegistryCheck;

      await work({ prod: report });

      expect(await checkOf(id)).toMatchObject({
        finished: true,
        registries: [
          { name: 'prod', state: 'finished', report, unmet: ['write', 'push', 'pull'] },
          { name: 'prod-us', state: 'finished', error: { code: 'unreachable', message: 'it is not running' } },
        ],
      });
    });

    it('are known by the list of registries, where the file has the last word', async () => {
      const declared = releaseTopology.replace('role: prod,', 'role: prod, capabilities: { mount: false, tagDelete: true },');
      await api.send('PUT', '/api/v1/topology', { body: { source: declared } });
      const { id } = (await api.post(path, { registries: ['prod'] })).body as AcceptedRegistryCheck;
      await work({ prod: report });

      const { registries, revision } = (await api.send('GET', '/api/v1/registries')).body as RegistryList;

      expect(revision).toBe(2);
      expect(registries.map(({ name }) => name)).toEqual(['ci-snapshots', 'prod', 'prod-us']);
      const prod = registries.find(({ name }) => name === 'prod');
      expect(prod).toMatchObject({
        lastCheck: { id, checkedAt: report.checkedAt, used: true, unmet: ['write', 'push', 'pull'] },
        capabilities: expect.arrayContaining([
          { name: 'mount', value: 'no', source: 'declared' },
          { name: 'tagDelete', value: 'yes', source: 'declared' },
          { name: 'referrersApi', value: 'no', source: 'probed' },
          { name: 'blobDelete', value: 'unknown', source: 'nobody' },
        ]),
      });
      expect(registries.find(({ name }) => name === 'ci-snapshots')?.lastCheck).toBeUndefined();
    });

    it.each<[string, unknown, object]>([
      ['of an unknown registry', { registries: ['prodd'] }, { status: 404, code: 'registry-unknown', near: ['prod'] }],
      ['of none', { registries: [] }, { status: 422, code: 'request-invalid', errors: [{ pointer: '/registries' }] }],
      ['with an unknown field', { force: true }, { status: 422, code: 'request-invalid', errors: [{ pointer: '/force' }] }],
    ])('are refused %s', async (_title, body, expected) => {
      expect(problemIn(await api.post(path, body))).toMatchObject(expected);
    });

    it.each(['nothing', uuidV7.next()])('are unknown as %s', async (id) => {
      expect(problemIn(await api.send('GET', `${path}/${id}`))).toMatchObject({ status: 404, code: 'check-unknown' });
    });

    it('need the verb, also to be looked at', async () => {
      const key = await api.keyWith(allBut('registries:check'));

      expect(problemIn(await api.post(path, {}, { key }))).toMatchObject({ status: 403 });
      expect(problemIn(await api.send('GET', `${path}/${uuidV7.next()}`, { key }))).toMatchObject({ status: 403 });
      expect((await api.send('GET', '/api/v1/registries', { key })).status).toBe(200);
    });

    it('need a place to look from', async () => {
      const source = `apiVersion: waybill/v1
kind: Topology
metadata: { name: nowhere }
locations: {}
registries:
  hub: { role: upstream, url: "https://registry-1.docker.io" }
`;
      await api.send('PUT', '/api/v1/topology', { body: { source } });

      expect(problemIn(await api.post(path, {}))).toMatchObject({ status: 409, code: 'no-location' });
    });
  });
});
