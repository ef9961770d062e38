import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { loadWorkerConfig } from '@waybill/config';
import { parseRepositoryName, type RegistryReport, resultOf, unknownCapabilities } from '@waybill/oci-model';
import { CheckLeases, type RegistryCheckRow, RegistryChecks } from '@waybill/persistence';
import { buildImage, type BuiltImage, describeWith, pushBuilt, type RunningRegistry, startDockerRegistry, until } from '@waybill/testing';
import { type Logged, logged } from './infrastructure/logged.spec-helper.js';
import { oneTag, RecordedPromotions, repository, topologyAt } from './recorded-promotions.spec-helper.js';
import { RegistryUnderTest } from './registry-under-test.spec-helper.js';
import { type RunningWorker, startWorker } from './start-worker.js';

/** Distribution is Prod; CI and Prod's replica share one local registry, so that blobs can be mounted there. */
describeWith('docker-registry', 'a worker', () => {
  let shared: RegistryUnderTest;
  let prod: RunningRegistry;
  let secrets: string;
  let recorded: RecordedPromotions;
  let checks: RegistryChecks;
  let log: Logged;
  let worker: RunningWorker | undefined;

  beforeEach(async () => {
    shared = await RegistryUnderTest.start();
    prod = await startDockerRegistry();
    secrets = await mkdtemp(join(tmpdir(), 'waybill-secrets-'));
    await writeFile(join(secrets, 'spec'), 'anna:open sesame');
    const topology = topologyAt({ ci: shared.url, prod: prod.url, 'prod-us': shared.url });
    const { ci, 'prod-us': replica, ...others } = topology.registries;
    if (ci === undefined || replica === undefined) throw new Error('the topology is another one');
    const apart = { ...others, ci, 'prod-us': { ...replica, prefix: parseRepositoryName('us') } };
    // Whoever is not local is written to with credentials, which these two do not look at.
    const credentials = { write: { secret: 'spec' } };
    const registries = Object.fromEntries(Object.entries(apart).map(([name, facts]) => [name, { ...facts, credentials }]));
    recorded = await RecordedPromotions.open({ ...topology, registries });
    checks = new RegistryChecks(recorded.database);
    log = logged();
  });
  afterEach(async () => {
    await worker?.app.close();
    worker = undefined;
    await recorded.close();
    await shared.stop();
    await prod.stop();
    await rm(secrets, { recursive: true });
  });

  async function start(environment: Readonly<Record<string, string>> = { WAYBILL_SECRETS_DIR: secrets }): Promise<void> {
    const { url, queueUrl } = recorded.server;
    const config = loadWorkerConfig({
      DATABASE_URL: url,
      WAYBILL_QUEUE_DATABASE_URL: queueUrl,
      WAYBILL_WORKER_DRAIN_MS: '5000',
      ...environment,
    });
    worker = await startWorker({ config, logger: log.logger });
  }

  async function finished(id: string): Promise<RegistryCheckRow['registries']> {
    await until('every registry was looked at', async () => {
      const check = await checks.get(id);
      return check?.registries.every(({ state }) => state === 'finished') === true;
    });
    return (await checks.get(id))?.registries ?? [];
  }

  /** Notes capabilities of a registry, as a check of it would. */
  async function note(name: string, capabilities: Partial<RegistryReport['capabilities']>): Promise<void> {
    await recorded.requestCheck(name);
    const leases = new CheckLeases(recorded.database, { leaseMs: 60_000 });
    const lease = await leases.claimNext('all', 'spec');
    const report: RegistryReport = {
      checkedAt: new Date().toISOString(),
      scope: 'write',
      probes: [],
      capabilities: { ...unknownCapabilities, ...capabilities },
    };
    if (lease !== undefined) await leases.finish(lease, { report });
  }

  async function promote(image: BuiltImage): Promise<void> {
    await pushBuilt(shared.repository(repository), image);
    await shared.repository(repository).putTag(oneTag, image.manifest);
    shared.requests.length = 0;
    const id = await recorded.request(image.manifest);
    await until('the promotion has arrived everywhere', async () => {
      const { items } = await recorded.promotion(id);
      return items.every(({ targets }) => targets.every(({ state }) => state === 'done'));
    });
    expect((await recorded.promotion(id)).state).toBe('succeeded');
  }

  const mounts = () => shared.requests.filter((request) => request.includes('mount='));

  it('looks at registries that it is asked about, from where they stand', async () => {
    await start();
    const id = await recorded.requestCheck('prod', 'prod-us');

    const [first, second] = await finished(id);

    expect(first).toMatchObject({
      name: 'prod',
      report: { scope: 'write', capabilities: { mount: true, referrersApi: false, tagPagination: false } },
    });
    expect(second).toMatchObject({
      name: 'prod-us',
      report: { scope: 'write', capabilities: { mount: true, referrersApi: true, tagPagination: true } },
    });
    for (const report of [first?.report, second?.report]) {
      expect(report?.probes.filter(({ outcome }) => outcome !== 'ok')).toEqual([]);
      expect(report?.leftBehind).toBeUndefined();
    }
    expect(JSON.stringify([first, second, log.lines])).not.toContain('open sesame');
  });

  it('goes on where one was killed', async () => {
    const id = await recorded.requestCheck('prod');
    await new CheckLeases(recorded.database, { leaseMs: 1 }).claimNext('all', 'one that was killed');

    await start();

    expect(await finished(id)).toMatchObject([{ name: 'prod', report: { scope: 'write' } }]);
  });

  it('looks at reading alone where the secret for writing is missing, and says which', async () => {
    await start({});
    const id = await recorded.requestCheck('prod');

    const [{ report } = { report: undefined }] = await finished(id);

    expect(report).toMatchObject({ scope: 'read', readOnlyBecause: expect.stringContaining('WAYBILL_SECRET_SPEC') });
    expect(report && resultOf(report, 'read')).toMatchObject({ outcome: 'ok' });
  });

  it('asks a registry to mount of which nothing is known', async () => {
    await start();

    await promote(buildImage());

    expect(mounts().length).toBeGreaterThan(0);
  });

  it('asks none to mount of which a check found that it cannot', async () => {
    await note('prod-us', { mount: false });
    await start();

    await promote(buildImage());

    expect(mounts()).toEqual([]);
    expect(await shared.repository(`us/${repository}`).resolveTag(oneTag)).toBeDefined();
  });
});
