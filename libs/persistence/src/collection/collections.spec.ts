import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { uuidV7 } from '@waybill/kernel';
import { digestToBytes, type Tag } from '@waybill/oci-model';
import { IdempotencyKeys } from '../access/idempotency-keys.js';
import { HeldTargets } from '../control/held-targets.js';
import { Pauses } from '../control/pauses.js';
import { CheckLeases } from '../registry-checks/check-leases.js';
import { TrashRequestLeases } from '../retention/trash-request-leases.js';
import { closeRun } from '../run/close-run.js';
import { loadRun } from '../run/load-run.js';
import { image, MemoryCopier, type OpenRun, Scene } from '../scene.spec-helper.js';
import { CollectionLeases, type CollectionLease } from './collection-leases.js';
import { type CollectionRow, Collections, type NewCollection } from './collections.js';
import { endHopelessCollections } from './hopeless-collections.js';

const address = 'http://127.0.0.1:5004';
const prod = { name: 'prod', address };
const figures = { bytesBefore: 300, bytesAfter: 100, blobs: 2, log: 'blob eligible for deletion\n\u0000' };
const broken = { code: 'collection-failed', message: 'it broke', operation: 'collect registry', retryable: false };
const hour = 3_600_000;

describe('collections', () => {
  let scene: Scene;
  let collections: Collections;
  let leases: CollectionLeases;
  let held: HeldTargets;
  let tag: Tag;
  let count = 0;

  beforeAll(async () => {
    scene = await Scene.start();
    collections = new Collections(scene.database);
    leases = new CollectionLeases(scene.database, { leaseMs: 60_000 });
    held = new HeldTargets(scene.database);
    await scene.database.tables.$executeRaw`UPDATE registry SET address = ${address} WHERE name = 'prod'`;
  });
  afterAll(() => scene.close());

  beforeEach(() => {
    tag = `${++count}.0.0` as Tag;
  });
  afterEach(async () => {
    await scene.database.tables.$executeRaw`UPDATE dispatch SET lease_expires_at = now() - interval '1 second' WHERE state = 'leased'`;
    await passTime('2 hours');
    await endHopelessCollections(scene.database);
    await held.wake();
    await scene.takeMessages();
  });

  async function ask(wanted: Partial<NewCollection> = {}): Promise<CollectionRow> {
    const id = uuidV7.next();
    const request = { principalId: scene.principalId, route: 'POST /collections', key: id, hash: new Uint8Array(32) };
    const claim = await new IdempotencyKeys(scene.database).claim(request);
    if (claim.claim !== 'ours') throw new Error(`the claim is ${claim.claim}`);
    const collection = { id, registry: 'prod', requestedBy: scene.principalId, reason: 'the disk is full', isDryRun: false, ...wanted };
    await collections.create(collection, {
      request,
      token: claim.token,
      answerOf: (row) => ({ status: 202, headers: {}, body: { id: row.id } }),
    });
    return rowOf(id);
  }

  async function rowOf(id: string): Promise<CollectionRow> {
    const row = await collections.get(id);
    if (row === undefined) throw new Error('there is no such collection');
    return row;
  }

  async function claimed(holder = 'worker'): Promise<CollectionLease> {
    const lease = await leases.claimNext([prod], holder);
    if (lease === undefined) throw new Error('there is nothing to claim');
    return lease;
  }

  /** As if all of this had been so long ago. */
  const passTime = (interval: string) => scene.database.tables.$executeRaw`
    UPDATE collection SET requested_at = requested_at - ${interval}::interval, started_at = started_at - ${interval}::interval,
      drain_until = drain_until - ${interval}::interval, lease_expires_at = lease_expires_at - ${interval}::interval WHERE finished_at IS NULL`;

  const request = (targets: readonly string[] = ['prod']) => scene.request({ tags: [tag], targets });
  const epochOf = async () => (await scene.database.tables.registry.findFirstOrThrow({ where: { name: 'prod', replacedAt: null } })).epoch;
  const drained = async (lease: CollectionLease) => {
    await leases.beginDraining(lease, hour);
    return leases.drain(lease);
  };

  async function targetsOf(promotionId: string) {
    const { items } = await scene.promotion(promotionId);
    return items
      .flatMap((item) => item.targets)
      .map(({ state, outcome, attempts, pause }) => ({ ended: outcome ?? state, attempts, by: pause?.scope }));
  }

  it('are asked for of local registries, one at a time', async () => {
    const made = await ask();

    expect(made).toMatchObject({ registry: 'prod', state: 'requested', reason: 'the disk is full', isDryRun: false });
    await expect(ask()).rejects.toMatchObject({ code: 'already-collecting', details: { collection: made.id } });
    await expect(ask({ registry: 'gone' })).rejects.toMatchObject({ code: 'topology-changed', retryable: true });
    await leases.giveUp(await claimed(), 'refused', broken);
    const next = await ask({ isDryRun: true });
    expect((await collections.list('prod', { limit: 2 })).map(({ id }) => id)).toEqual([next.id, made.id]);
    expect((await collections.list('prod', { limit: 2, before: next.id })).map(({ id }) => id)).toEqual([made.id]);
  });

  it('are taken by who supervises the registry that stands at this address', async () => {
    await ask();

    expect(await leases.claimNext([], 'worker')).toBeUndefined();
    expect(await leases.claimNext([{ name: 'prod', address: 'http://127.0.0.1:1' }], 'worker')).toBeUndefined();
    expect(await leases.claimNext([{ name: 'ci', address }, prod], 'worker')).toMatchObject({ registry: 'prod', state: 'requested' });
    expect(await leases.claimNext([prod], 'other')).toBeUndefined();
  });

  it('are taken over from a silent worker, which then changes nothing', async () => {
    const { id } = await ask();
    const first = await claimed();
    await leases.beginDraining(first, hour);
    await scene.database.tables.$executeRaw`UPDATE collection SET lease_expires_at = now() - interval '1 second' WHERE id = ${id}::uuid`;

    const second = await claimed('second');

    expect(second).toMatchObject({ state: 'draining', fence: first.fence + 1n });
    expect(await leases.renew(first)).toBe(false);
    for (const late of [
      () => leases.beginDraining(first, hour),
      () => leases.drain(first),
      () => leases.advance(first, 'collecting'),
      () => leases.complete(first, figures),
      () => leases.giveUp(first, 'failed', broken),
    ]) {
      await expect(late()).rejects.toMatchObject({ code: 'lease-lost' });
    }
    expect(await leases.drain(second)).toBe('drained');
    expect(await rowOf(id)).toMatchObject({ state: 'read-only' });
  });

  it('are handed over when their worker is stopped', async () => {
    await ask();
    const lease = await claimed();

    await leases.release(lease, 0);

    expect(await leases.renew(lease)).toBe(false);
    expect(await claimed('next')).toMatchObject({ state: 'requested' });
  });

  it('hold what is to be brought to their registry until they have ended, and only that', async () => {
    const { id } = await ask();
    const lease = await claimed();
    expect(await drained(lease)).toBe('drained');
    const waiting = await request();
    const other = await request(['prod-b']);
    const copier = new MemoryCopier();

    await scene.run(await scene.messageOf(waiting), copier);
    expect(await targetsOf(waiting)).toEqual([{ ended: 'pending', attempts: 0, by: 'collection' }]);
    expect(copier.manifests.size).toBe(0);
    await scene.redispatch(other);
    await scene.run(await scene.messageOf(other), copier);
    expect((await scene.promotion(other)).state).toBe('succeeded');

    await leases.advance(lease, 'collecting');
    await leases.advance(lease, 'restarting');
    await leases.complete(lease, figures);

    expect(await rowOf(id)).toMatchObject({
      state: 'complete',
      bytesBefore: 300,
      bytesAfter: 100,
      blobs: 2,
      log: 'blob eligible for deletion\n',
    });
    expect(await held.wake()).toBe(1);
    await scene.run(await scene.messageOf(waiting), copier);
    expect((await scene.promotion(waiting)).state).toBe('succeeded');
  });

  it('wait for copies that have begun, and stop those before their tag', async () => {
    const promotionId = await request();
    const { lease: dispatch, journal, target } = await scene.open(await scene.messageOf(promotionId));
    await journal.beginAttempt([target]);
    await ask();
    const lease = await claimed();

    expect(await drained(lease)).toBe('waiting');
    expect(await journal.acquireTag(target, tag)).toEqual({ turn: 'paused' });
    await journal.holdBack(target);
    await closeRun(scene.database, dispatch);

    expect(await targetsOf(promotionId)).toEqual([{ ended: 'pending', attempts: 0, by: 'collection' }]);
    expect(await leases.drain(lease)).toBe('drained');
  });

  it('know when they have waited for copies long enough', async () => {
    const { journal, target } = await scene.open(await scene.messageOf(await request()));
    await journal.beginAttempt([target]);
    const { id } = await ask();
    const lease = await claimed();

    await leases.beginDraining(lease, -1);

    expect(await leases.drain(lease)).toBe('too-late');
    await leases.giveUp(lease, 'refused', broken);
    expect(await rowOf(id)).toMatchObject({ state: 'refused', error: broken, epoch: undefined });
    expect(await new Pauses(scene.database).list({ limit: 10, isHistory: false })).toEqual([]);
  });

  it('do not wait for the dead, whose work is begun from its start afterwards', async () => {
    const promotionId = await request();
    const message = await scene.messageOf(promotionId);
    const { journal, target } = await scene.open(message);
    await journal.beginAttempt([target]);
    await journal.recordCopy(target, 'copied', { bytesCopied: 1, bytesMounted: 0, bytesSkipped: 0 });
    await journal.settleContent(target, { manifests: [] });
    await journal.advance(target, 'tagging');
    await scene.database.tables.$executeRaw`
      UPDATE dispatch SET lease_expires_at = now() - interval '1 second', due_at = now() WHERE promotion_id = ${promotionId}::uuid`;
    await ask();
    const lease = await claimed();

    expect(await drained(lease)).toBe('drained');

    await expect(journal.advance(target, 'tagging')).rejects.toMatchObject({ code: 'lease-lost' });
    expect(await targetsOf(promotionId)).toMatchObject([{ ended: 'pending', by: 'collection' }]);
    await leases.complete(lease, figures);
    await held.wake();
    await scene.redispatch(promotionId);
    const loaded = await loadRun(scene.database, promotionId, 'eu');
    expect(loaded?.run.items[0]?.targets).toMatchObject([{ state: 'pending' }]);
  });

  it('and attempts that begin in the same moment see each other', async () => {
    const runs: OpenRun[] = [];
    for (let number = 0; number < 8; number += 1) {
      tag = `${count}.0.${number}` as Tag;
      runs.push(await scene.open(await scene.messageOf(await request())));
    }
    await ask();
    const lease = await claimed();

    const [, ...begun] = await Promise.all([
      leases.beginDraining(lease, hour),
      ...runs.map(async ({ journal, target }) => !(await journal.beginAttempt([target])).has(target.id)),
    ]);

    expect(await leases.drain(lease)).toBe(begun.includes(true) ? 'waiting' : 'drained');
  });

  it('void what was known to be there, when they begin to remove and when they have ended', async () => {
    const before = await epochOf();
    const promotionId = await request();
    await scene.run(await scene.messageOf(promotionId), new MemoryCopier());
    const placed = () =>
      scene.database.tables.placement.findMany({
        where: { digest: digestToBytes(image.digest), registry: { name: 'prod' } },
        select: { epoch: true },
      });
    expect(await placed()).toEqual([{ epoch: before }]);

    const { id } = await ask();
    const lease = await claimed();
    await drained(lease);
    expect(await epochOf()).toBe(before + 1n);
    expect(await rowOf(id)).toMatchObject({ epoch: Number(before) + 1 });
    await leases.complete(lease, figures);
    expect(await epochOf()).toBe(before + 2n);
    expect(await placed()).toEqual([{ epoch: before }]);

    tag = 'again' as Tag;
    await scene.run(await scene.messageOf(await request()), new MemoryCopier());
    expect(await placed()).toEqual([{ epoch: before + 2n }]);
  });

  it('remove and void nothing in a dry run, and hold nothing', async () => {
    const before = await epochOf();
    const { id } = await ask({ isDryRun: true });
    const lease = await claimed();

    await leases.advance(lease, 'collecting');
    const promotionId = await request();
    await scene.run(await scene.messageOf(promotionId), new MemoryCopier());
    await leases.complete(lease, figures);

    expect((await scene.promotion(promotionId)).state).toBe('succeeded');
    expect(await rowOf(id)).toMatchObject({ state: 'complete', isDryRun: true, epoch: undefined, startedAt: expect.any(Date) });
    expect(await epochOf()).toBe(before);
  });

  it('keep their pause, whoever would end it', async () => {
    await ask();
    await drained(await claimed());
    const pauses = new Pauses(scene.database);
    const [pause] = await pauses.list({ limit: 10, isHistory: false });

    expect(pause).toMatchObject({ scope: 'collection', name: 'prod', reason: 'the disk is full', pausedBy: scene.principalId });
    expect(await pauses.resume(pause?.id ?? '', { by: scene.principalId })).toMatchObject({ resumedAt: null });
  });

  it('and restores keep out of each other’s way', async () => {
    const requests = new TrashRequestLeases(scene.database, { leaseMs: 60_000 });
    await ask();
    const lease = await claimed();
    await scene.database.tables.$executeRaw`
      INSERT INTO retention_request (id, kind, registry_id, asked, requested_by, reason, state)
      VALUES (${uuidV7.next()}::uuid, 'restore', ${lease.registryId}::uuid, '{}', ${scene.principalId}::uuid, 'spec', 'requested')`;
    const restore = await requests.claimNext('restorer');
    if (restore === undefined) throw new Error('the restore is not to be had');

    expect(await drained(lease)).toBe('waiting');
    await requests.release(restore, { delayMs: 0, isAttempt: false });
    expect(await requests.claimNext('restorer')).toBeUndefined();
    expect(await leases.drain(lease)).toBe('drained');
    await leases.complete(lease, figures);
    const again = await requests.claimNext('restorer');
    expect(again).toMatchObject({ id: restore.id });
    if (again !== undefined) await requests.finish(again);
  });

  it('and checks of what the registry can keep out of each other’s way', async () => {
    const checks = new CheckLeases(scene.database, { leaseMs: 60_000 });
    await ask();
    const lease = await claimed();
    const checkId = uuidV7.next();
    await scene.database.tables.$executeRaw`
      INSERT INTO registry_check (id, revision, requested_by) VALUES (${checkId}::uuid, 1, ${scene.principalId}::uuid)`;
    await scene.database.tables.$executeRaw`
      INSERT INTO checked_registry (check_id, registry_id, location, state) VALUES (${checkId}::uuid, ${lease.registryId}::uuid, 'eu', 'queued')`;
    const check = await checks.claimNext('all', 'checker');
    if (check === undefined) throw new Error('the check is not to be had');

    expect(await drained(lease)).toBe('waiting');
    await checks.release(check);
    expect(await checks.claimNext('all', 'checker')).toBeUndefined();
    expect(await leases.drain(lease)).toBe('drained');
    await leases.complete(lease, figures);
    expect(await checks.claimNext('all', 'checker')).toMatchObject({ checkId });
  });

  it.each<[string, string, string, (lease: CollectionLease) => Promise<unknown>]>([
    ['that nobody takes', 'refused', 'no-supervisor', (lease) => leases.release(lease, 0)],
    ['that nobody ends', 'failed', 'abandoned', (lease) => drained(lease)],
  ])('%s do not hold copies for ever', async (_what, state, code, left) => {
    const { id } = await ask();
    await left(await claimed());
    expect(await endHopelessCollections(scene.database)).toBe(0);

    await passTime('61 minutes');

    expect(await endHopelessCollections(scene.database)).toBe(1);
    expect(await rowOf(id)).toMatchObject({ state, error: { code } });
    expect(await new Pauses(scene.database).list({ limit: 10, isHistory: false })).toEqual([]);
  });
});
