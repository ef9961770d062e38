import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { uuidV7 } from '@waybill/kernel';
import { type RegistryReport, unknownCapabilities } from '@waybill/oci-model';
import { until } from '@waybill/testing';
import { IdempotencyKeys } from '../access/idempotency-keys.js';
import { Notifications } from '../notifications.js';
import { Scene, topology } from '../scene.spec-helper.js';
import { type CheckLease, CheckLeases } from './check-leases.js';
import { RegistryChecks } from './registry-checks.js';

const leaseMs = 60_000;
const stored = { code: 'unreachable', message: 'gone\u0000 \ud800', operation: 'check registry', retryable: true };

function reportWith(capabilities: Partial<RegistryReport['capabilities']>): RegistryReport {
  return {
    checkedAt: '2026-05-01T10:00:00.000Z',
    scope: 'write',
    probes: [{ probe: 'reachable', ms: 1, outcome: 'ok' }],
    capabilities: { ...unknownCapabilities, ...capabilities },
  };
}

describe('checks of registries', () => {
  let scene: Scene;
  let checks: RegistryChecks;
  let leases: CheckLeases;

  beforeAll(async () => {
    scene = await Scene.start();
    checks = new RegistryChecks(scene.database);
    leases = new CheckLeases(scene.database, { leaseMs });
  });
  afterAll(() => scene.close());
  beforeEach(() => scene.database.tables.$executeRaw`TRUNCATE registry_check, checked_registry`);

  async function ask(...names: readonly string[]): Promise<string> {
    const id = uuidV7.next();
    const request = { principalId: scene.principalId, route: 'POST /registry-checks', key: id, hash: new Uint8Array(32) };
    const claim = await new IdempotencyKeys(scene.database).claim(request);
    if (claim.claim !== 'ours') throw new Error(`the claim is ${claim.claim}`);
    const registries = names.map((name) => ({ name, location: topology.registries[name]?.location ?? 'eu' }));
    const answer = { status: 202, headers: {}, body: { id } };
    const check = { id, revision: 1, requestedBy: scene.principalId, registries };
    if (!(await checks.create(check, { request, token: claim.token, answer }))) throw new Error('the claim was lost');
    return id;
  }

  async function claimed(holder = 'worker'): Promise<CheckLease> {
    const lease = await leases.claimNext('all', holder);
    if (lease === undefined) throw new Error('there is nothing to claim');
    return lease;
  }

  /** As if the worker had been silent for the whole of its lease. */
  const passTime = () => scene.database.tables.$executeRaw`
    UPDATE checked_registry SET lease_expires_at = now() - interval '1 second' WHERE state = 'leased'`;

  const stateOf = async (id: string) => (await checks.get(id))?.registries.map(({ state }) => state);

  it('are shown by name, and wake workers', async () => {
    const woken: string[] = [];
    const notifications = new Notifications(scene.server.url, () => undefined);
    notifications.on('registryCheck', () => void woken.push('woken'));
    notifications.start();
    await until('it listens', () => woken.length > 0);

    const id = await ask('prod-us', 'prod');

    await until('a worker is woken', () => woken.length > 1);
    expect(await checks.get(id)).toMatchObject({
      id,
      revision: 1,
      requestedBy: scene.principalId,
      registries: [
        { name: 'prod', location: 'eu', state: 'queued' },
        { name: 'prod-us', location: 'us', state: 'queued' },
      ],
    });
    await notifications.close();
  });

  it('are taken where they are to be looked at, oldest first', async () => {
    const first = await ask('prod', 'prod-us');
    const second = await ask('prod-us');

    expect(await leases.claimNext(['asia'], 'worker')).toBeUndefined();
    expect(await leases.claimNext(['us', 'asia'], 'worker')).toMatchObject({ checkId: first });
    expect(await leases.claimNext(['us', 'asia'], 'worker')).toMatchObject({ checkId: second });
    expect(await leases.claimNext(['us', 'asia'], 'worker')).toBeUndefined();
    expect(await leases.claimNext('all', 'worker')).toMatchObject({ checkId: first });
  });

  it('are recorded once, whoever repeats the request', async () => {
    const id = await ask('prod');
    const request = { principalId: scene.principalId, route: 'POST /registry-checks', key: id, hash: new Uint8Array(32) };
    const check = { id: uuidV7.next(), revision: 1, requestedBy: scene.principalId, registries: [] };

    expect(await checks.create(check, { request, token: uuidV7.next(), answer: { status: 202, headers: {}, body: {} } })).toBe(false);
    expect(await checks.get(check.id)).toBeUndefined();
  });

  it('are not recorded when a registry of theirs is another by now', async () => {
    await expect(ask('prod', 'gone')).rejects.toMatchObject({ code: 'topology-changed', retryable: true });

    expect(await leases.claimNext('all', 'worker')).toBeUndefined();
  });

  it('are done by one worker, which is told what the revision says', async () => {
    const id = await ask('prod');
    const lease = await claimed();

    expect(await leases.claimNext('all', 'other')).toBeUndefined();
    expect(await leases.load(lease)).toEqual({
      registry: topology.registries.prod,
      address: undefined,
      isReplaced: false,
      leavesBehind: false,
    });
    expect(await stateOf(id)).toEqual(['leased']);
  });

  it('keep what was found, and know it as the newest', async () => {
    const id = await ask('prod');
    const leftBehind = { repositories: ['waybill-check/one'], manifests: 4, blobs: 4, bytes: 2_000 };
    const report: RegistryReport = { ...reportWith({ mount: true }), probes: [{ probe: 'cleanUp', ms: 1, outcome: 'ok' }], leftBehind };

    expect(await leases.finish(await claimed(), { report })).toBe(true);

    expect(await checks.get(id)).toMatchObject({
      registries: [{ state: 'finished', report, error: undefined, finishedAt: expect.any(Date) }],
    });
    expect(await checks.newest()).toEqual(new Map([['prod', { checkId: id, report, isFresh: true }]]));
    expect(await checks.knownCapabilities()).toEqual(new Map([['prod', report.capabilities]]));
    await ask('prod');
    expect(await leases.load(await claimed())).toMatchObject({ leavesBehind: true });
  });

  it('remember what was left behind over one that wrote nothing', async () => {
    const cleaned: RegistryReport = { ...reportWith({}), probes: [{ probe: 'cleanUp', ms: 1, outcome: 'ok' }] };
    const leftBehind = { repositories: ['waybill-check/one'], manifests: 4, blobs: 4, bytes: 2_000 };
    const found = async (report: RegistryReport): Promise<boolean | undefined> => {
      await ask('prod');
      await leases.finish(await claimed(), { report });
      await ask('prod');
      const lease = await claimed();
      const known = await leases.load(lease);
      await leases.finish(lease, { report: reportWith({}) }); // as of a registry that was away, or is only read
      return known?.leavesBehind;
    };

    expect(await found({ ...cleaned, leftBehind })).toBe(true);
    expect(await found(reportWith({}))).toBe(true);
    expect(await found(cleaned)).toBe(false);
  });

  it('prefer the newest report, and act on none that is older than a week', async () => {
    await ask('prod');
    await leases.finish(await claimed(), { report: reportWith({ mount: true }) });
    await scene.database.tables.$executeRaw`UPDATE checked_registry SET finished_at = now() - interval '8 days'`;
    expect((await checks.newest()).get('prod')).toMatchObject({ isFresh: false });
    expect(await checks.knownCapabilities()).toEqual(new Map());

    await ask('prod');
    await leases.finish(await claimed(), { report: reportWith({ mount: false }) });
    await ask('prod');
    await leases.finish(await claimed(), { error: stored });

    expect((await checks.knownCapabilities()).get('prod')).toMatchObject({ mount: false });
  });

  it('keep an error in place of a report, without what no database can hold', async () => {
    const id = await ask('prod');

    await leases.finish(await claimed(), { error: stored });

    expect(await checks.get(id)).toMatchObject({
      registries: [{ state: 'finished', report: undefined, error: { ...stored, message: 'gone \ufffd' } }],
    });
  });

  it('are taken over from a worker that died, whose findings count no more', async () => {
    const id = await ask('prod');
    const dead = await claimed('dead');
    await passTime();

    const heir = await claimed('heir');

    expect(await leases.renew(dead)).toBe(false);
    expect(await leases.finish(dead, { report: reportWith({}) })).toBe(false);
    expect(await leases.renew(heir)).toBe(true);
    expect(await stateOf(id)).toEqual(['leased']);
  });

  it('are given up when three workers died over one', async () => {
    const id = await ask('prod');
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      await claimed();
      await passTime();
    }

    expect(await leases.claimNext('all', 'worker')).toBeUndefined();
    expect(await checks.get(id)).toMatchObject({ registries: [{ state: 'finished', error: { code: 'attempts-exhausted' } }] });
  });

  it('are given up where no worker comes, by workers elsewhere', async () => {
    const id = await ask('prod', 'prod-us');
    await leases.claimNext(['eu'], 'worker');
    await scene.database.tables.$executeRaw`UPDATE registry_check SET requested_at = now() - interval '25 hours'`;

    expect(await leases.claimNext(['eu'], 'worker')).toBeUndefined();
    expect(await checks.get(id)).toMatchObject({
      registries: [{ state: 'leased' }, { name: 'prod-us', state: 'finished', error: { code: 'no-worker' } }],
    });
  });

  it('go to another worker at once when one is stopped, which is no attempt', async () => {
    await ask('prod');
    for (let round = 0; round < 5; round += 1) await leases.release(await claimed());

    expect(await leases.renew(await claimed())).toBe(true);
  });
});
