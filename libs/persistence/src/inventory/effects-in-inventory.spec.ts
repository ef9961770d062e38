import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Tag } from '@waybill/oci-model';
import type { Tables } from '../database.js';
import { image, manifestNamed, MemoryCopier, oneTag, repository, Scene } from '../scene.spec-helper.js';
import { CrawlLeases } from './crawl-leases.js';
import { CrawlSchedules } from './crawl-schedules.js';
import type { RepositoryRecordsStore } from './repository-records.js';

const minuteMs = 60_000;
const newer = manifestNamed('a newer image');

describe('our own effects', () => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await Scene.start();
    await new CrawlSchedules(scene.database).declare([{ name: 'prod', location: 'eu', quickMs: minuteMs, fullMs: minuteMs }]);
  });
  afterAll(() => scene.close());

  async function promote(manifest = image): Promise<void> {
    const id = await scene.request({ targets: ['prod'], manifest });
    await scene.run(await scene.messageOf(id), new MemoryCopier());
    expect((await scene.promotion(id)).state).toBe('succeeded');
  }

  async function tagOf(name: string) {
    const [tag] = await scene.database.tables.$queryRaw<{ digest: string; source: string; gone: boolean }[]>`
      SELECT digest_text(t.digest) AS digest, t.tagged_at_source AS source, t.gone_at IS NOT NULL AS gone
      FROM tag t JOIN repository r ON r.id = t.repository_id JOIN registry g ON g.id = r.registry_id
      WHERE g.name = 'prod' AND r.name = ${repository} AND t.name = ${name}`;
    return tag;
  }

  /** A look at the repository that has begun and asked its questions. */
  async function look(): Promise<RepositoryRecordsStore> {
    await scene.database.tables.$executeRaw`TRUNCATE crawl, crawl_repository`;
    await new CrawlSchedules(scene.database).request({ registry: 'prod', kind: 'full', requestedBy: scene.principalId });
    const leases = new CrawlLeases(scene.database, { leaseMs: minuteMs });
    const lease = await leases.claimNext('all', 'worker');
    if (lease === undefined) throw new Error('there is nothing to claim');
    const { records } = await leases.load(lease);
    await records.endList('records', undefined);
    const [queued] = await records.next(0n, 1);
    if (queued === undefined) throw new Error('there is no repository');
    const of = records.repository(queued);
    await of.known();
    return of;
  }

  const changes = { tagged: new Map(), gone: [], missing: [], back: [] };

  it('are in the inventory with what settled them', async () => {
    await promote();

    expect(await tagOf(oneTag)).toEqual({ digest: image.digest, source: 'effect', gone: false });
  });

  it('are not undone by a crawl that looked before them', async () => {
    const early = await look();
    await scene.database.tables.$executeRaw`
      INSERT INTO tag_event (registry_id, repository, tag, digest)
      SELECT id, ${repository}, ${oneTag}, ${Buffer.from(newer.digest.slice(7), 'hex')}::bytea FROM registry WHERE name = 'prod'`;

    await early.settleTags({ ...changes, gone: [oneTag] });
    await early.settleTags({ ...changes, tagged: new Map([[oneTag, image.digest]]) });

    expect(await tagOf(oneTag)).toMatchObject({ digest: newer.digest, source: 'effect', gone: false });
  });

  it('are followed by what a later crawl sees, as events without an effect', async () => {
    const later = await look();

    await later.settleTags({ ...changes, tagged: new Map([[oneTag, image.digest]]) });
    await later.settleTags({ ...changes, tagged: new Map([['other' as Tag, image.digest]]) });

    expect(await tagOf(oneTag)).toEqual({ digest: image.digest, source: 'crawl', gone: false });
    expect(await tagOf('other')).toMatchObject({ source: 'crawl' });
    expect(await scene.database.tables.tagEvent.findFirst({ orderBy: { id: 'desc' } })).toMatchObject({ effectId: null, tag: 'other' });
  });

  it('say when a manifest was pushed', async () => {
    const end = await look();

    await end.settle({ state: 'known', problem: undefined, isListed: true, isComplete: true });

    const placement = await scene.database.tables.placement.findFirst({
      where: { repository, digest: Buffer.from(image.digest.slice(7), 'hex'), registry: { name: 'prod' } },
    });
    expect(placement).toMatchObject({ pushedAt: expect.any(Date), pushedAtSource: 'effect' });
  });

  describe('and a look', () => {
    /** Resolves when a statement in this database waits for a row that another transaction has locked. */
    async function untilSomebodyWaits(): Promise<void> {
      for (const giveUp = Date.now() + 10_000; ;) {
        const [waiting] = await scene.database.tables.$queryRaw<{ count: bigint }[]>`
          SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
        if (waiting !== undefined && waiting.count > 0n) return;
        if (Date.now() > giveUp) throw new Error('nobody waits');
      }
    }

    /** Holds the first row as another writer does, until the look waits for it; that writer then wants the last. */
    async function meet(work: () => Promise<void>, lock: (tables: Tables, which: 'first' | 'last') => Promise<unknown>): Promise<void> {
      let working: Promise<void> | undefined;
      await scene.database.transaction(async (tables) => {
        await lock(tables, 'first');
        working = work();
        await untilSomebodyWaits();
        await lock(tables, 'last');
      });
      await working;
    }

    it('that changes tags locks them in one order', async () => {
      const of = await look();
      const [first, last] = ['first' as Tag, 'last' as Tag];
      await of.settleTags({
        ...changes,
        tagged: new Map([
          [first, image.digest],
          [last, image.digest],
        ]),
      });
      const later = await look();
      const wanted = { first, last };

      await meet(
        () => later.settleTags({ ...changes, tagged: new Map([[last, newer.digest]]), gone: [first] }),
        (tables, which) => tables.$queryRaw`SELECT 1 FROM tag WHERE name = ${wanted[which]} FOR UPDATE NOWAIT`,
      );

      expect(await tagOf(first)).toMatchObject({ gone: true });
      expect(await tagOf(last)).toMatchObject({ digest: newer.digest });
    });
  });
});
