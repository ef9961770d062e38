import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ContentError, type RegistryReport, unknownCapabilities } from '@waybill/oci-model';
import { CheckLeases, type RegistryCheckRow, RegistryChecks, type RegistryToCheck, TopologyRevisions } from '@waybill/persistence';
import { until } from '@waybill/testing';
import { gate, settled } from '../../infrastructure/gate.spec-helper.js';
import { type Logged, logged } from '../../infrastructure/logged.spec-helper.js';
import { RecordedPromotions, topologyAt } from '../../recorded-promotions.spec-helper.js';
import { CheckRegistries, type CheckRegistriesOptions } from './check-registries.js';

const leaseMs = 60_000;
const report: RegistryReport = { checkedAt: '2026-05-01T10:00:00.000Z', scope: 'read', probes: [], capabilities: unknownCapabilities };
const found: CheckRegistriesOptions['check'] = () => Promise.resolve(report);

/** Waits until it is told to stop, and says so as a client does. */
function untilAborted(_registry: RegistryToCheck, signal: AbortSignal): Promise<RegistryReport> {
  return new Promise((_resolve, reject) => {
    const abort = (): void =>
      reject(new ContentError('it was aborted', { code: 'aborted', operation: 'check registry', cause: signal.reason as unknown }));
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
  });
}

describe('CheckRegistries', () => {
  let recorded: RecordedPromotions;
  let checks: RegistryChecks;
  let log: Logged;

  beforeAll(async () => {
    recorded = await RecordedPromotions.open(topologyAt({ ci: 'https://ci.example.com' }));
    checks = new RegistryChecks(recorded.database);
  });
  afterAll(() => recorded.close());
  beforeEach(async () => {
    log = logged();
    await recorded.database.tables.$executeRaw`TRUNCATE registry_check, checked_registry`;
  });

  function worker(options: Partial<CheckRegistriesOptions> = {}): CheckRegistries {
    const leases = new CheckLeases(recorded.database, { leaseMs });
    return new CheckRegistries({
      leases,
      leaseMs,
      check: found,
      locations: 'all',
      workerId: 'one',
      concurrency: 2,
      logger: log.logger,
      ...options,
    });
  }

  async function checkOf(id: string): Promise<RegistryCheckRow> {
    const check = await checks.get(id);
    if (check === undefined) throw new Error(`there is no check ${id}`);
    return check;
  }

  const statesOf = async (id: string) => (await checkOf(id)).registries.map(({ state }) => state);
  const finished = (id: string) => until('the check is finished', async () => (await statesOf(id)).every((state) => state === 'finished'));

  it('keeps what is found, and says when there is room again', async () => {
    const id = await recorded.requestCheck('ci');
    const ended = gate();

    expect(await worker().begin(() => ended.open())).toBe(1);
    await ended.passed;

    expect(await checkOf(id)).toMatchObject({ registries: [{ name: 'ci', state: 'finished', report }] });
    expect(await worker().begin(() => undefined)).toBe(0);
  });

  it('looks at some registries at once and no more', async () => {
    await recorded.requestCheck('ci', 'prod', 'prod-us');
    const going = gate<RegistryReport>();
    const busy = worker({ check: () => going.passed });

    expect([await busy.begin(() => undefined), await busy.begin(() => undefined), await busy.begin(() => undefined)]).toEqual([1, 1, 0]);

    going.open(report);
    await busy.close();
  });

  it('looks from its own locations only', async () => {
    const id = await recorded.requestCheck('ci', 'prod-us');
    const american = worker({ locations: ['us'] });

    expect([await american.begin(() => undefined), await american.begin(() => undefined)]).toEqual([1, 0]);
    await until('one is finished', async () => (await statesOf(id)).includes('finished'));

    expect(await checkOf(id)).toMatchObject({
      registries: [
        { name: 'ci', state: 'queued' },
        { name: 'prod-us', state: 'finished' },
      ],
    });
  });

  it('is told what the topology says of the registry', async () => {
    const id = await recorded.requestCheck('ci');
    const told: RegistryToCheck[] = [];

    await worker({ check: (registry) => (told.push(registry), Promise.resolve(report)) }).begin(() => undefined);
    await finished(id);

    expect(told).toMatchObject([{ registry: { name: 'ci', url: 'https://ci.example.com' }, isReplaced: false }]);
  });

  it('keeps an error where there was nothing to look at', async () => {
    const id = await recorded.requestCheck('prod');
    const error = new ContentError('local registry prod is not running', { code: 'unreachable', operation: 'connect', retryable: true });

    await worker({ check: () => Promise.reject(error) }).begin(() => undefined);
    await finished(id);

    expect(await checkOf(id)).toMatchObject({ registries: [{ error: { code: 'unreachable', message: error.message } }] });
  });

  it('hands over what is under way when it is stopped, once that has cleaned up', async () => {
    const id = await recorded.requestCheck('ci');
    const cleaning = gate();
    const stopped = worker({ check: (registry, signal) => untilAborted(registry, signal).finally(() => cleaning.passed) });
    await stopped.begin(() => undefined);
    let isClosed = false;

    const closing = stopped.close().then(() => (isClosed = true));
    await settled();
    expect(isClosed).toBe(false);
    cleaning.open();
    await closing;

    expect(log.saying('the check is handed over')).toHaveLength(1);
    expect(await statesOf(id)).toEqual(['queued']);
    expect(await stopped.begin(() => undefined)).toBe(0);
    await worker({ workerId: 'two' }).begin(() => undefined);
    await finished(id);
  });

  it('changes nothing when another worker took over from it', async () => {
    const id = await recorded.requestCheck('ci');
    const going = gate<RegistryReport>();
    const slow = worker({ check: () => going.passed });
    await slow.begin(() => undefined);
    await recorded.database.tables.$executeRaw`UPDATE checked_registry SET lease_expires_at = now() - interval '1 second'`;
    await worker({ workerId: 'two' }).begin(() => undefined);
    await finished(id);

    going.open({ ...report, checkedAt: '2020-01-01T00:00:00.000Z' });
    await slow.close();

    expect(await checkOf(id)).toMatchObject({ registries: [{ report: { checkedAt: report.checkedAt } }] });
    expect(log.saying('the check was taken over')).toHaveLength(1);
  });

  it('leaves what broke to be tried again, and goes on', async () => {
    const id = await recorded.requestCheck('ci');
    const broken = gate();

    await worker({ check: () => Promise.reject(new TypeError('a mistake')) }).begin(() => broken.open());
    await broken.passed;

    expect(log.saying('the check broke off')).toHaveLength(1);
    expect(await statesOf(id)).toEqual(['leased']);
  });

  it('looks at no registry that is another one by now', async () => {
    const id = await recorded.requestCheck('ci');
    await new TopologyRevisions(recorded.database).apply(topologyAt({ ci: 'https://new.example.com' }), 'source', recorded.principalId);

    await worker({ check: () => Promise.reject(new TypeError('it was asked')) }).begin(() => undefined);
    await finished(id);

    expect(await checkOf(id)).toMatchObject({ registries: [{ error: { code: 'registry-replaced' } }] });
  });
});
