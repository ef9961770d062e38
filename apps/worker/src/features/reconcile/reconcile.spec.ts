import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ContentError } from '@waybill/oci-model';
import { closeRun, DispatchLeases, Leftovers, loadRun, OpenEffects, PrismaRunJournal, TopologyRevisions } from '@waybill/persistence';
import { RegistryClients } from '@waybill/registry-clients';
import { buildImage, pushBuilt } from '@waybill/testing';
import { type Logged, logged } from '../../infrastructure/logged.spec-helper.js';
import { oneTag, RecordedPromotions, repository, requiredAt, topologyAt } from '../../recorded-promotions.spec-helper.js';
import { RegistryUnderTest } from '../../registry-under-test.spec-helper.js';
import { Reconcile } from './reconcile.js';
import { RegistryEffects } from './registry-effects.js';

const image = buildImage();
const noBytes = { bytesCopied: 0, bytesMounted: 0, bytesSkipped: 0 };
const away = new ContentError('the registry does not answer', { code: 'unreachable', operation: 'test' });

describe('Reconcile', () => {
  let prod: RegistryUnderTest;
  let recorded: RecordedPromotions;
  let clients: RegistryClients;
  let log: Logged;
  let counted: [string, number][];
  let id: string;

  beforeEach(async () => {
    prod = await RegistryUnderTest.start();
    recorded = await RecordedPromotions.open(topologyAt({ prod: prod.url }));
    clients = new RegistryClients({ secrets: { read: () => undefined } });
    log = logged();
    counted = [];
    id = await recorded.request(image.manifest, [requiredAt('prod')]);
  });

  afterEach(async () => {
    clients.close();
    await recorded.close();
    await prod.stop();
  });

  function reconciler(): Reconcile {
    const { database } = recorded;
    const revisions = new TopologyRevisions(database);
    return new Reconcile({
      effects: new OpenEffects(database),
      leftovers: new Leftovers(database),
      openRegistries: async () => {
        const active = await revisions.active();
        if (active === undefined) throw new Error('there is no topology');
        return new RegistryEffects(clients, active.topology);
      },
      locations: 'all',
      reconciled: { add: ({ what }, by = 1) => void counted.push([what, by]) },
      logger: log.logger,
    });
  }

  /** The manifest and its tag were announced, and the target ended before anybody could read them back. */
  async function leaveOpen(): Promise<void> {
    const { database } = recorded;
    const lease = await new DispatchLeases(database, { leaseMs: 60_000 }).claim(await recorded.messageOf(id), 'worker');
    const loaded = await loadRun(database, id, 'eu');
    const target = loaded?.run.items[0]?.targets[0];
    if (lease === undefined || target === undefined) throw new Error('there is nothing to run');
    const journal = new PrismaRunJournal(database, lease, { tagLeaseMs: 60_000 });
    await journal.beginAttempt([target]);
    await journal.intendManifest(target, image.manifest);
    await journal.acquireTag(target, oneTag);
    await journal.intendTag(target, oneTag, image.manifest.digest, undefined);
    await journal.finish(target, { ...noBytes, outcome: 'failed', error: away });
    await closeRun(database, lease);
    await database.tables.$executeRaw`UPDATE tag_order SET lease_expires_at = now() - interval '1 second'`;
  }

  const effects = async () => {
    const rows = await recorded.database.tables.effect.findMany({
      where: { promotionId: id },
      include: { record: true },
      orderBy: { kind: 'asc' },
    });
    return rows.map(({ kind, state, outcome, record }) => [kind, state, outcome, record === null ? 0 : 1]);
  };

  it('settles what landed and what did not, once, with one record each, however many do so', async () => {
    await leaveOpen();
    await pushBuilt(prod.repository(repository), image);

    await Promise.all([reconciler().round(), reconciler().round(), reconciler().round()]);

    expect(await effects()).toEqual([
      ['manifest', 'settled', 'written', 1],
      ['tag', 'settled', 'not-written', 1],
    ]);
    expect(counted.filter(([what]) => what === 'effect').reduce((sum, [, count]) => sum + count, 0)).toBe(2);
    expect(counted).toContainEqual(['tag-lease', 1]);
    expect(await reconciler().round()).toBe(0);
  });

  it('tries later while the registry is down, and settles when it is back', async () => {
    await leaveOpen();
    const open = [
      ['manifest', 'intended', null, 0],
      ['tag', 'intended', null, 0],
    ];
    prod.fault = () => ({ status: 503 });

    await reconciler().round();
    prod.fault = undefined;
    await reconciler().round();

    expect(await effects()).toEqual(open);
    expect(log.lines).toContainEqual(expect.objectContaining({ level: 'warn', registry: 'prod', effects: 2 }));

    await recorded.database.tables.$executeRaw`UPDATE effect SET read_due_at = now()`;
    await reconciler().round();

    expect(await effects()).toEqual([
      ['manifest', 'settled', 'not-written', 1],
      ['tag', 'settled', 'not-written', 1],
    ]);
  });

  it('asks a registry that does not answer for nothing more', async () => {
    await leaveOpen();
    prod.fault = () => ({ status: 403 });
    prod.requests.length = 0;

    await reconciler().round();

    expect(prod.requests).toHaveLength(1);
  });

  it('sends a promotion to its targets that the queue and its dispatch have forgotten', async () => {
    await recorded.messageOf(id);
    await recorded.database.tables.dispatch.updateMany({ where: { promotionId: id }, data: { state: 'finished', dueAt: null } });

    await Promise.all([reconciler().round(), reconciler().round()]);

    expect(await recorded.messageOf(id)).toEqual({ promotionId: id, location: 'eu', dispatch: 2 });
    expect(counted).toEqual([['dispatch', 1]]);
    expect(log.lines).toContainEqual(expect.objectContaining({ level: 'info', dispatches: 1 }));
  });

  it('reads nothing more once it is stopped', async () => {
    await leaveOpen();
    const stopped = reconciler();
    stopped.stop();

    await stopped.round();

    expect((await effects()).map(([, state]) => state)).toEqual(['intended', 'intended']);
  });
});
