import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { closeRun, type DispatchLease, DispatchLeases, loadRun, PrismaRunJournal } from '@waybill/persistence';
import { type RetryPolicy, runLocation } from '@waybill/promotion';
import { RegistryClients } from '@waybill/registry-clients';
import { buildImage, pushBuilt, until } from '@waybill/testing';
import type { FaultRule } from '@waybill/local-registry';
import type { Topology } from '@waybill/topology';
import { oneTag, RecordedPromotions, repository, requiredAt, topologyAt } from '../../recorded-promotions.spec-helper.js';
import { RegistryUnderTest } from '../../registry-under-test.spec-helper.js';
import { RegistryCopier } from './registry-copier.js';

const image = buildImage({ layers: 4, layerBytes: 1_500_000 });
const leaseMs = 60_000;
const minuteMs = 60_000;
const retry: RetryPolicy = { maxAttempts: 3, baseMs: 1_000, maxMs: 10_000 };

const isWrite = (method: string): boolean => method !== 'GET' && method !== 'HEAD';

/** What goes wrong at each registry. */
const faults: Readonly<Record<string, FaultRule>> = {
  hanging: ({ route }) => (route.kind === 'blob' || route.kind === 'upload' ? { stall: true } : undefined),
  busy: ({ method }) => (isWrite(method) ? { status: 429, headers: { 'retry-after': '60' } } : undefined),
  full: ({ method }) => (isWrite(method) ? { status: 507 } : undefined),
  'read-only': ({ method }) => (isWrite(method) ? { status: 405 } : undefined),
  healthy: () => undefined,
};

describe('targets of one promotion at one location', () => {
  let ci: RegistryUnderTest;
  let registries: ReadonlyMap<string, RegistryUnderTest>;
  let recorded: RecordedPromotions;
  let clients: RegistryClients;
  let id: string;

  beforeEach(async () => {
    ci = await RegistryUnderTest.start();
    registries = new Map(await Promise.all(Object.keys(faults).map(async (name) => [name, await RegistryUnderTest.start()] as const)));
    for (const [name, registry] of registries) registry.fault = faults[name];
    recorded = await RecordedPromotions.open(topologyWith(ci, registries));
    clients = new RegistryClients({ secrets: { read: () => undefined } });
    const source = ci.repository(repository);
    await pushBuilt(source, image);
    await source.putTag(oneTag, image.manifest);
    id = await recorded.request(image.manifest, [...registries.keys()].map(requiredAt));
  });

  afterEach(async () => {
    clients.close();
    await recorded.close();
    for (const registry of [ci, ...registries.values()]) await registry.stop();
  });

  async function claim(): Promise<DispatchLease> {
    const lease = await new DispatchLeases(recorded.database, { leaseMs }).claim(await recorded.messageOf(id), 'worker');
    if (lease === undefined) throw new Error('the dispatch is not to be had');
    return lease;
  }

  /** What a worker does once it has the lease. */
  async function run(lease: DispatchLease, signal = new AbortController().signal): Promise<void> {
    const loaded = await loadRun(recorded.database, lease.promotionId, lease.location);
    if (loaded === undefined) throw new Error('the promotion is gone');
    const copier = new RegistryCopier({ clients, ...loaded, patience: { holdUpMs: 50 } });
    const journal = new PrismaRunJournal(recorded.database, lease, { tagLeaseMs: leaseMs });
    await runLocation(loaded.run, { copier, journal, retry }, signal);
    await closeRun(recorded.database, lease);
  }

  async function targets() {
    const { items } = await recorded.promotion(id);
    return Object.fromEntries(items.flatMap((item) => item.targets.map((target) => [target.registry.name, target])));
  }

  async function untilOver(...names: readonly string[]): Promise<void> {
    await until(`${names.join(', ')} are over`, async () => {
      const now = await targets();
      return names.every((name) => now[name]?.state === 'done' || now[name]?.dueAt !== null);
    });
  }

  it('end or wait each for itself, and the healthy one is tagged while another hangs', async () => {
    let hasEnded = false;
    const running = run(await claim()).finally(() => {
      hasEnded = true;
    });

    await untilOver('healthy', 'full', 'read-only', 'busy');

    expect(await registries.get('healthy')?.repository(repository).resolveTag(oneTag)).toBe(image.manifest.digest);
    const meanwhile = await targets();
    expect(meanwhile['healthy']).toMatchObject({ state: 'done', outcome: 'copied', error: null });
    expect(meanwhile['read-only']).toMatchObject({ state: 'done', outcome: 'failed', error: { code: 'target-unsupported' } });
    expect(meanwhile['full']).toMatchObject({ state: 'pending', attempts: 1, error: { code: 'target-unreachable', retryable: true } });
    expect(meanwhile['busy']).toMatchObject({ state: 'pending', attempts: 1, error: { code: 'target-rate-limited', retryable: true } });
    expect(meanwhile['hanging']).toMatchObject({ state: 'copying', attempts: 1, dueAt: null });
    expect(hasEnded).toBe(false);

    await registries.get('hanging')?.stop();
    await running;
    const { hanging, full, busy } = await targets();
    expect(hanging).toMatchObject({ state: 'pending', attempts: 1, error: { retryable: true } });
    // Each is due when its own trouble says so.
    const dueIn = (target: typeof busy): number => (target?.dueAt?.getTime() ?? 0) - (target?.startedAt?.getTime() ?? 0);
    expect(dueIn(busy)).toBeGreaterThanOrEqual(minuteMs);
    for (const target of [hanging, full]) {
      expect(dueIn(target)).toBeGreaterThan(0);
      expect(target?.dueAt?.getTime()).toBeLessThan(busy?.dueAt?.getTime() ?? 0);
    }
    const dispatch = await recorded.database.tables.dispatch.findFirstOrThrow({ where: { promotionId: id } });
    expect(dispatch).toMatchObject({ state: 'queued', dueAt: full?.dueAt });
    expect((await recorded.promotion(id)).state).toBe('running');
  });
});

function topologyWith(ci: RegistryUnderTest, registries: ReadonlyMap<string, RegistryUnderTest>): Topology {
  const topology = topologyAt({ ci: ci.url });
  const prod = topology.registries['prod'];
  if (prod === undefined) throw new Error('the topology has no prod');
  const { local: _, ...placed } = prod;
  const targets = [...registries].map(([name, { url }]) => [name, { ...placed, name, url }] as const);
  return { ...topology, registries: { ...topology.registries, ...Object.fromEntries(targets) } };
}
