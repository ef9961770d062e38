import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Clock, systemClock } from '@waybill/kernel';
import { type Digest, digestFromBytes, type Manifest, type Tag } from '@waybill/oci-model';
import type { TagResult, TagTurn } from '@waybill/promotion';
import { image, manifestNamed, MemoryCopier, type OpenRun, Scene } from '../scene.spec-helper.js';
import { TagLeases } from './tag-leases.js';

const newer = manifestNamed('a newer image');
const foreign = manifestNamed('somebody else’s image').digest;

describe('the lease of a tag', () => {
  let scene: Scene;
  let tags = 0;

  beforeAll(async () => {
    scene = await Scene.start();
  });

  afterAll(() => scene.close());

  function newTag(): Tag {
    tags += 1;
    return `1.0.${tags}` as Tag;
  }

  /** A promotion to a registry whose tags may move, claimed by a worker. */
  async function runTo(tag: Tag, manifest: Manifest = image, holder = 'worker'): Promise<OpenRun> {
    const id = await scene.request({ targets: ['prod-b'], tags: [tag], manifest });
    return scene.open(await scene.messageOf(id), holder);
  }

  const acquire = ({ journal, target }: OpenRun, tag: Tag): Promise<TagTurn> => journal.acquireTag(target, tag);

  async function write(run: OpenRun, tag: Tag, result: TagResult = { outcome: 'written' }): Promise<void> {
    await acquire(run, tag);
    await run.journal.intendTag(run.target, tag, run.item.digest, undefined);
    await run.journal.settleTag(run.target, tag, run.item.digest, result);
  }

  async function expireLease(tag: Tag): Promise<void> {
    await scene.database.tables.$executeRaw`UPDATE tag_order SET lease_expires_at = now() - interval '1 millisecond' WHERE tag = ${tag}`;
  }

  /** Resolves when a statement in this database waits for a row that another transaction has locked. */
  async function untilSomebodyWaits(): Promise<void> {
    for (const giveUp = Date.now() + 10_000; ;) {
      const [waiting] = await scene.database.tables.$queryRaw<{ count: bigint }[]>`
        SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      if (waiting !== undefined && waiting.count > 0n) return;
      if (Date.now() > giveUp) throw new Error('nobody waits');
    }
  }

  const orderOf = (tag: Tag) => scene.database.tables.tagOrder.findFirstOrThrow({ where: { tag } });
  const effectOf = (run: OpenRun) => scene.database.tables.effect.findFirstOrThrow({ where: { itemTargetId: run.target.id, kind: 'tag' } });
  const eventsOf = (tag: Tag) => scene.database.tables.tagEvent.findMany({ where: { tag }, orderBy: { id: 'asc' } });

  it('is had by one run at a time', async () => {
    const tag = newTag();
    const runs = [await runTo(tag), await runTo(tag, newer)];

    const turns = await Promise.all(runs.map((run) => acquire(run, tag)));

    expect(turns.map(({ turn }) => turn).sort()).toEqual(['held', 'ours']);
    expect(turns.find(({ turn }) => turn === 'held')).toEqual({ turn: 'held', retryAfterMs: expect.any(Number) });
  });

  it('lasts from when its row was free, and is used from before it was asked for', async () => {
    const tag = newTag();
    const run = await runTo(tag);
    const readings = [1_000, 6_000.5];
    const clock: Clock = { ...systemClock, monotonic: () => readings.shift() ?? 6_000.5 };
    const leases = new TagLeases(scene.database, run.lease, { leaseMs: 60_000, clock });
    let acquired: Promise<TagTurn> | undefined;

    const [freed] = await scene.database.transaction(async (tables) => {
      await tables.$executeRaw`SELECT FROM tag_order WHERE tag = ${tag} FOR UPDATE`;
      acquired = leases.acquire(run.target, tag);
      await untilSomebodyWaits();
      return tables.$queryRaw<{ at: Date }[]>`SELECT clock_timestamp() AS at`;
    });

    expect(await acquired).toMatchObject({ turn: 'ours', leaseMs: 54_999 });
    const expires = (await orderOf(tag)).leaseExpiresAt?.getTime();
    expect(expires).toBeGreaterThanOrEqual((freed?.at.getTime() ?? Infinity) + 60_000);
  });

  it('is had again at once by the run that has it, whose first answer was lost', async () => {
    const tag = newTag();
    const run = await runTo(tag);
    await acquire(run, tag);

    expect(await acquire(run, tag)).toMatchObject({ turn: 'ours', intendedBefore: false });
    await run.journal.intendTag(run.target, tag, image.digest, undefined);
    expect((await orderOf(tag)).leaseFence).toBe(2n);
  });

  it('is not had by the same worker’s next run of the promotion', async () => {
    const tag = newTag();
    const first = await runTo(tag);
    await acquire(first, tag);
    await scene.database.tables.$executeRaw`UPDATE dispatch SET state = 'queued' WHERE promotion_id = ${first.lease.promotionId}::uuid`;
    const second = await scene.open({ promotionId: first.lease.promotionId, location: 'eu', dispatch: 1 });

    expect((await acquire(second, tag)).turn).toBe('held');
    await expireLease(tag);
    expect((await acquire(second, tag)).turn).toBe('ours');
  });

  it('is free at once when it was given up', async () => {
    const tag = newTag();
    const [one, other] = [await runTo(tag), await runTo(tag, newer)];
    await acquire(one, tag);
    await one.journal.releaseTag(one.target, tag);

    expect((await acquire(other, tag)).turn).toBe('ours');
    await expect(one.journal.releaseTag(one.target, tag)).rejects.toMatchObject({ code: 'lease-lost' });
    expect((await acquire(one, tag)).turn).toBe('held');
  });

  it('is needed to record what is to be written', async () => {
    const tag = newTag();
    const run = await runTo(tag);
    await expect(run.journal.intendTag(run.target, tag, image.digest, undefined)).rejects.toMatchObject({ code: 'lease-lost' });
    await acquire(run, tag);
    await expireLease(tag);

    await expect(run.journal.intendTag(run.target, tag, image.digest, undefined)).rejects.toMatchObject({ code: 'lease-lost' });

    expect(await scene.database.tables.effect.count({ where: { itemTargetId: run.target.id } })).toBe(0);
  });

  it('does not help an older release after a newer one has written', async () => {
    const tag = newTag();
    const [older, later] = [await runTo(tag), await runTo(tag, newer)];
    await write(later, tag);

    expect(await acquire(older, tag)).toEqual({ turn: 'superseded' });
  });

  it('does not let an older release write when a newer one is seen to have written late', async () => {
    const tag = newTag();
    const [older, later] = [await runTo(tag), await runTo(tag, newer)];
    await acquire(later, tag);
    await later.journal.intendTag(later.target, tag, newer.digest, undefined);
    await expireLease(tag);
    expect((await acquire(older, tag)).turn).toBe('ours');
    await later.journal.settleTag(later.target, tag, newer.digest, { outcome: 'written' });

    await expect(older.journal.intendTag(older.target, tag, image.digest, undefined)).rejects.toMatchObject({ code: 'lease-lost' });

    const { writtenTicket, writtenDigest, leaseHolder } = await orderOf(tag);
    expect([writtenTicket, digestFromBytes(writtenDigest ?? new Uint8Array())]).toEqual([2n, newer.digest]);
    expect(leaseHolder).toContain(older.lease.promotionId);
  });

  it('tells the next release what ours wrote last, and that one that writes again knows of its own intent', async () => {
    const tag = newTag();
    const [older, later] = [await runTo(tag), await runTo(tag, newer)];
    await write(older, tag);
    expect(await acquire(later, tag)).toMatchObject({ turn: 'ours', writtenSince: image.digest, intendedBefore: false });
    await later.journal.intendTag(later.target, tag, newer.digest, image.digest);

    expect(await acquire(later, tag)).toMatchObject({
      turn: 'ours',
      writtenSince: image.digest,
      intendedBefore: true,
      settledBefore: false,
    });
  });

  it('tells what other releases of ours were about to write when their workers died, until that is settled', async () => {
    const tag = newTag();
    const [earlier, middle, later] = [await runTo(tag), await runTo(tag, manifestNamed('between')), await runTo(tag, newer)];
    for (const run of [earlier, later]) {
      await acquire(run, tag);
      await run.journal.intendTag(run.target, tag, run.item.digest, undefined);
      await expireLease(tag);
    }

    const turn = await acquire(middle, tag);

    expect(turn).toMatchObject({ turn: 'ours', writtenSince: undefined, intendedBefore: false });
    expect('begun' in turn ? turn.begun.toSorted((one) => (one.isNewer ? 1 : -1)) : []).toEqual([
      { digest: image.digest, isNewer: false },
      { digest: newer.digest, isNewer: true },
    ]);
    await middle.journal.releaseTag(middle.target, tag);
    await later.journal.finish(later.target, {
      outcome: 'failed',
      bytesCopied: 0,
      bytesMounted: 0,
      bytesSkipped: 0,
      readBack: [{ effectId: (await effectOf(later)).id, found: undefined }],
    });
    expect(await acquire(middle, tag)).toMatchObject({ begun: [{ digest: image.digest, isNewer: false }] });
  });

  it('keeps what the tag held at the last attempt, in one effect', async () => {
    const tag = newTag();
    const run = await runTo(tag);
    await acquire(run, tag);
    await run.journal.intendTag(run.target, tag, image.digest, undefined);
    await run.journal.intendTag(run.target, tag, image.digest, foreign);

    expect(digestFromBytes((await effectOf(run)).previousDigest ?? new Uint8Array())).toBe(foreign);
    await run.journal.settleTag(run.target, tag, image.digest, { outcome: 'conflict', found: foreign, afterWrite: true });
    expect(await effectOf(run)).toMatchObject({ state: 'settled', outcome: 'not-written' });
  });

  it.each<[string, TagResult, string, string | null | undefined]>([
    ['written', { outcome: 'written' }, 'written', image.digest],
    ['already there', { outcome: 'already-present' }, 'written', image.digest],
    ['as before', { outcome: 'conflict', found: undefined, afterWrite: false }, 'not-written', undefined],
    ['another’s', { outcome: 'conflict', found: foreign, afterWrite: true }, 'overwritten', foreign],
  ])('ends with one record and event when the tag is %s', async (_name, result, outcome, seen) => {
    const tag = newTag();
    const run = await runTo(tag);
    await write(run, tag, result);

    const effect = await effectOf(run);
    expect(effect).toMatchObject({ state: 'settled', outcome });
    const records = await scene.database.tables.provenanceRecord.findMany({ where: { effectId: effect.id } });
    expect(records).toEqual([expect.objectContaining({ body: expect.objectContaining({ effect: 'tag', tag, outcome }) })]);
    const events = await eventsOf(tag);
    expect(events.map(({ digest }) => digest && digestFromBytes(digest))).toEqual(seen === undefined ? [] : [seen]);
    expect(await orderOf(tag)).toMatchObject({ leaseHolder: null, leaseExpiresAt: null, writtenTicket: outcome === 'written' ? 1n : 0n });
    await expect(run.journal.settleTag(run.target, tag, image.digest, result)).resolves.toBeUndefined();
    expect(await scene.database.tables.provenanceRecord.count({ where: { effectId: effect.id } })).toBe(1);
  });

  it('lets no tag be written a second time without a record of its own', async () => {
    const tag = newTag();
    const run = await runTo(tag);
    await write(run, tag);

    expect(await acquire(run, tag)).toMatchObject({ turn: 'ours', intendedBefore: true, settledBefore: true });
    await expect(run.journal.intendTag(run.target, tag, image.digest, foreign)).rejects.toMatchObject({ code: 'lease-lost' });
  });

  it('settles nothing for a release that was overtaken, since nothing was read', async () => {
    const tag = newTag();
    const [older, later] = [await runTo(tag), await runTo(tag, newer)];
    await acquire(older, tag);
    await older.journal.intendTag(older.target, tag, image.digest, undefined);
    await expireLease(tag);
    await write(later, tag);
    const order = await orderOf(tag);
    expect(await acquire(older, tag)).toEqual({ turn: 'superseded' });

    await older.journal.settleTag(older.target, tag, image.digest, { outcome: 'superseded' });

    const effect = await effectOf(older);
    expect(effect).toMatchObject({ state: 'intended', outcome: null, observedDigest: null });
    expect(await scene.database.tables.provenanceRecord.count({ where: { effectId: effect.id } })).toBe(0);
    expect(await scene.database.tables.itemTargetTag.findFirst({ where: { itemTargetId: older.target.id } })).toMatchObject({
      outcome: 'superseded',
    });
    expect(await eventsOf(tag)).toHaveLength(1);
    expect(await orderOf(tag)).toEqual(order);
  });

  it('gives tickets in the order of requests, whatever comes at once', async () => {
    const tag = newTag();
    const ids = await Promise.all(Array.from({ length: 50 }, () => scene.request({ targets: ['prod-b'], tags: [tag] })));

    const rows = await scene.database.tables.$queryRaw<{ promotion_id: string; ticket: bigint }[]>`
      SELECT i.promotion_id, t.ticket FROM item_target_tag t JOIN item_target i ON i.id = t.item_target_id WHERE t.tag = ${tag} ORDER BY t.ticket`;
    expect(rows.map(({ ticket }) => ticket)).toEqual(ids.map((_, index) => BigInt(index + 1)));
    expect(new Set(rows.map(({ promotion_id }) => promotion_id))).toEqual(new Set(ids));
    expect((await orderOf(tag)).lastTicket).toBe(50n);
  });

  it('is asked for in one order by requests that name the same tags in different orders', async () => {
    const [one, other] = [newTag(), newTag()];
    const wanted = [
      [one, other],
      [other, one],
    ] as const;

    const rounds = Array.from({ length: 20 }, (_, round) => {
      const [first, second] = wanted[round % 2] ?? [one, other];
      return scene.request({ targets: ['prod-b'], tags: [first] }, { targets: ['prod-b'], tags: [second] });
    });

    expect(await Promise.all(rounds)).toHaveLength(20);
  });

  it('keeps an older release from writing after a newer one, however they race', async () => {
    for (let round = 0; round < 25; round += 1) {
      const tag = newTag();
      const writes: string[] = [];
      const registry = new Map<string, Digest>();
      const raced = [image, newer].map(async (manifest) => ({
        manifest,
        id: await scene.request({ targets: ['prod-b'], tags: [tag], manifest }),
      }));
      const messages = await Promise.all(raced);
      const sent = await scene.takeMessages();
      await Promise.all(
        messages.map(async ({ manifest, id }) => {
          const copier = new MemoryCopier(manifest, registry);
          const { putTargetTag } = copier;
          copier.putTargetTag = (...args) => {
            writes.push(id);
            return putTargetTag(...args);
          };
          const message = sent.find(({ promotionId }) => promotionId === id);
          if (message === undefined) throw new Error('no message');
          await scene.run(message, copier);
        }),
      );

      const [{ last } = { last: '' }] = await scene.database.tables.$queryRaw<{ last: string }[]>`
        SELECT i.promotion_id AS last FROM item_target_tag t JOIN item_target i ON i.id = t.item_target_id WHERE t.tag = ${tag} ORDER BY t.ticket DESC LIMIT 1`;
      expect(writes.at(-1)).toBe(last);
      expect(registry.get(`prod-b:${tag}`)).toBe(messages.find(({ id }) => id === last)?.manifest.digest);
    }
  });
});
