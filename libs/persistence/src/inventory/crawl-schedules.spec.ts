import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { uuidV7 } from '@waybill/kernel';
import { Scene } from '../scene.spec-helper.js';
import { CrawlLeases } from './crawl-leases.js';
import { CrawlSchedules } from './crawl-schedules.js';

const minuteMs = 60_000;
const ci = { name: 'ci', location: 'eu', quickMs: 15 * minuteMs, fullMs: 24 * 60 * minuteMs };
const prod = { ...ci, name: 'prod' };
const replica = { ...ci, name: 'prod-us', location: 'us' };

describe('schedules of crawls', () => {
  let scene: Scene;
  let schedules: CrawlSchedules;
  let leases: CrawlLeases;

  beforeAll(async () => {
    scene = await Scene.start();
    schedules = new CrawlSchedules(scene.database);
    leases = new CrawlLeases(scene.database, { leaseMs: minuteMs });
  });
  afterAll(() => scene.close());
  beforeEach(() => scene.database.tables.$executeRaw`TRUNCATE crawl_schedule, crawl, crawl_repository`);

  interface Due {
    readonly registry: string;
    readonly kind: string;
    readonly minutes: number;
  }

  async function due(): Promise<Due[]> {
    return await scene.database.tables.$queryRaw<Due[]>`
      SELECT r.name AS registry, s.kind, round(extract(epoch FROM s.next_due_at - now()) / 60)::int AS minutes
      FROM crawl_schedule s JOIN registry r ON r.id = s.registry_id ORDER BY 1, 2`;
  }

  const makeDue = (kind: string) => scene.database.tables.$executeRaw`UPDATE crawl_schedule SET next_due_at = now() WHERE kind = ${kind}`;

  async function openCrawls(): Promise<string[]> {
    const rows = await scene.database.tables.crawl.findMany({
      where: { finishedAt: null },
      include: { registry: { select: { name: true } } },
      orderBy: { id: 'asc' },
    });
    return rows.map(({ registry, kind }) => `${registry.name} ${kind}`);
  }

  it('look at what is new soon and wholly, and then as often as is said', async () => {
    await schedules.declare([ci, { ...prod, fullMs: minuteMs }]);

    expect(await due()).toEqual([
      { registry: 'ci', kind: 'full', minutes: 5 },
      { registry: 'ci', kind: 'quick', minutes: 15 },
      { registry: 'prod', kind: 'full', minutes: 1 },
      { registry: 'prod', kind: 'quick', minutes: 15 },
    ]);
  });

  it('keep their time when they are declared again, unless they are to come more often', async () => {
    await schedules.declare([ci]);
    await schedules.declare([{ ...ci, quickMs: 5 * minuteMs, fullMs: 48 * 60 * minuteMs }]);

    expect(await due()).toEqual([
      { registry: 'ci', kind: 'full', minutes: 5 },
      { registry: 'ci', kind: 'quick', minutes: 5 },
    ]);
  });

  it('go with what the topology names no more', async () => {
    await schedules.declare([ci, prod]);
    await schedules.declare([prod]);

    expect(new Set((await due()).map(({ registry }) => registry))).toEqual(new Set(['prod']));
  });

  it('begin one crawl of each registry whose time has come, at their own locations', async () => {
    await schedules.declare([ci, replica]);
    await makeDue('quick');

    expect(await schedules.beginDue(['us'])).toBe(true);
    expect(await schedules.beginDue(['us'])).toBe(false);
    expect(await openCrawls()).toEqual(['prod-us quick']);
    expect(await schedules.beginDue('all')).toBe(true);
    expect(await openCrawls()).toEqual(['prod-us quick', 'ci quick']);
  });

  it('let a full crawl stand for the quick one that was due too', async () => {
    await schedules.declare([ci]);
    await makeDue('quick');
    await makeDue('full');

    expect(await schedules.beginDue('all')).toBe(true);

    expect(await openCrawls()).toEqual(['ci full']);
    expect(await due()).toEqual([
      { registry: 'ci', kind: 'full', minutes: 24 * 60 },
      { registry: 'ci', kind: 'quick', minutes: 15 },
    ]);
  });

  it('begin nothing twice, however many workers look', async () => {
    await schedules.declare([ci, prod]);
    await makeDue('full');

    const begun = await Promise.all(Array.from({ length: 6 }, () => schedules.beginDue('all')));
    while (await schedules.beginDue('all'));

    expect(begun).toContain(true);
    expect((await openCrawls()).sort()).toEqual(['ci full', 'prod full']);
  });

  it('wait until the crawl that is open has ended', async () => {
    await schedules.declare([ci]);
    await makeDue('quick');
    await schedules.beginDue('all');
    await makeDue('full');

    expect(await schedules.beginDue('all')).toBe(false);
    const lease = await leases.claimNext('all', 'worker');
    if (lease === undefined) throw new Error('there is nothing to claim');
    await leases.finish(lease, { requests: {}, found: {} }, undefined);

    expect(await schedules.beginDue('all')).toBe(true);
    expect(await openCrawls()).toEqual(['ci full']);
  });

  it('are not waited for by who asks for a crawl, and one at a time is enough', async () => {
    await schedules.declare([ci]);
    const requestedBy = scene.principalId;

    const first = await schedules.request({ registry: 'ci', kind: 'quick', requestedBy });
    const second = await schedules.request({ registry: 'ci', kind: 'full', requestedBy });

    expect(first).toMatchObject({ kind: 'quick', isNew: true });
    expect(second).toEqual({ ...first, isNew: false });
    expect(await schedules.request({ registry: 'prod', kind: 'full', requestedBy })).toBeUndefined();
  });
});

describe('leases of crawls', () => {
  let scene: Scene;
  let leases: CrawlLeases;

  beforeAll(async () => {
    scene = await Scene.start();
    leases = new CrawlLeases(scene.database, { leaseMs: minuteMs });
    await new CrawlSchedules(scene.database).declare([ci]);
  });
  afterAll(() => scene.close());
  beforeEach(async () => {
    await scene.database.tables.$executeRaw`TRUNCATE crawl, crawl_repository`;
    await new CrawlSchedules(scene.database).request({ registry: 'ci', kind: 'full', requestedBy: scene.principalId });
  });

  async function claimed(holder: string) {
    const lease = await leases.claimNext('all', holder);
    if (lease === undefined) throw new Error('there is nothing to claim');
    return lease;
  }

  const passTime = () => scene.database.tables.$executeRaw`UPDATE crawl SET lease_expires_at = now() - interval '1 second'`;

  it('are held by one worker, and by the next when it falls silent', async () => {
    const silent = await claimed('one');
    expect(await leases.claimNext('all', 'two')).toBeUndefined();
    await passTime();
    const next = await claimed('two');

    expect(next).toMatchObject({ crawlId: silent.crawlId, fence: silent.fence + 1n });
    expect(await leases.renew(silent)).toBe(false);
    expect(await leases.finish(silent, { requests: {}, found: {} }, undefined)).toBe(false);
    await expect(leases.load(silent)).rejects.toMatchObject({ code: 'lease-lost' });
    expect(await leases.renew(next)).toBe(true);
  });

  it('guard everything that is written', async () => {
    const lost = await claimed('one');
    const { records } = await leases.load(lost);
    await passTime();
    await claimed('two');

    await expect(records.addRepositories([])).rejects.toMatchObject({ code: 'lease-lost' });
    await expect(records.endList('catalogue', undefined)).rejects.toMatchObject({ code: 'lease-lost' });
  });

  it('are given up at once without that counting', async () => {
    await leases.release(await claimed('one'));

    expect(await scene.database.tables.crawl.findFirst()).toMatchObject({ state: 'queued', attempts: 0 });
    await claimed('two');
  });

  it('forget crawls of more than a month ago', async () => {
    const id = uuidV7.next();
    await scene.database.tables.$executeRaw`
      INSERT INTO crawl (id, registry_id, location, kind, state, finished_at)
      SELECT ${id}::uuid, registry_id, location, kind, 'complete', now() - interval '31 days' FROM crawl`;

    await leases.finish(await claimed('one'), { requests: { GET: 2 }, found: { repositories: 1 } }, undefined);

    expect(await scene.database.tables.crawl.findMany()).toMatchObject([{ state: 'complete', requests: { GET: 2 } }]);
  });
});
