import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { uuidV7 } from '@waybill/kernel';
import { ContentError } from '@waybill/oci-model';
import { PromotionError } from '@waybill/promotion';
import { MemoryCopier, Scene } from '../scene.spec-helper.js';
import { closeRun } from './close-run.js';
import { type DispatchLease, DispatchLeases } from './dispatch-lease.js';
import { type DispatchMessage, Outbox } from './outbox.js';

describe('dispatches', () => {
  let scene: Scene;
  let outbox: Outbox;
  let leases: DispatchLeases;

  beforeAll(async () => {
    scene = await Scene.start();
    outbox = new Outbox(scene.database);
    leases = new DispatchLeases(scene.database, { leaseMs: 60_000 });
  });

  afterAll(() => scene.close());

  beforeEach(async () => {
    // What the test before has left due is none of the next one's.
    await outbox.redispatchDue();
    await scene.takeMessages();
  });

  /** As if this had been due, or held, until now. */
  async function makeDue(promotionId: string): Promise<void> {
    await scene.database.tables.$executeRaw`
      UPDATE dispatch SET due_at = now() - interval '1 second', lease_expires_at = least(lease_expires_at, now() - interval '1 second')
      WHERE promotion_id = ${promotionId}::uuid AND due_at IS NOT NULL`;
  }

  async function attemptsOf(targetId: string): Promise<number> {
    return (await scene.database.tables.itemTarget.findUniqueOrThrow({ where: { id: targetId } })).attempts;
  }

  async function rowOf({ promotionId, location }: Pick<DispatchMessage, 'promotionId' | 'location'>) {
    return scene.database.tables.dispatch.findUniqueOrThrow({ where: { promotionId_location: { promotionId, location } } });
  }

  it('are claimed once, however many workers get the message', async () => {
    const message = await scene.messageOf(await scene.request());

    const claims = await Promise.all(Array.from({ length: 8 }, (_, worker) => leases.claim(message, `worker ${worker}`)));

    expect(claims.filter((lease) => lease !== undefined)).toHaveLength(1);
    expect(await rowOf(message)).toMatchObject({ state: 'leased', leaseFence: 1n });
  });

  it.each<[string, (message: DispatchMessage) => DispatchMessage]>([
    ['an older number', (message) => ({ ...message, dispatch: 0 })],
    ['a number to come', (message) => ({ ...message, dispatch: 2 })],
    ['another location', (message) => ({ ...message, location: 'moon' })],
    ['another promotion', (message) => ({ ...message, promotionId: uuidV7.next() })],
  ])('are not claimed by a message of %s', async (_name, changed) => {
    const message = await scene.messageOf(await scene.request());

    expect(await leases.claim(changed(message), 'worker')).toBeUndefined();
    expect(await rowOf(message)).toMatchObject({ state: 'queued', leaseFence: 0n });
  });

  it('pass to the next worker when the lease has expired, and the first can renew no more', async () => {
    const message = await scene.messageOf(await scene.request());
    const first = await scene.claim(message, 'first');
    expect(await leases.renew(first)).toBe(true);
    expect(await leases.claim(message, 'second')).toBeUndefined();
    await makeDue(message.promotionId);

    const second = await scene.claim(message, 'second');

    expect(second.fence).toBe(first.fence + 1n);
    expect(await leases.renew(first)).toBe(false);
    expect(await leases.renew(second)).toBe(true);
    await leases.release(first, new Set());
    expect(await rowOf(message)).toMatchObject({ state: 'leased', leaseHolder: 'second' });
  });

  it('that are handed over are due at once, under a new number', async () => {
    const message = await scene.messageOf(await scene.request());
    const lease = await scene.claim(message);

    await leases.release(lease, new Set());
    expect(await leases.claim(message, 'late')).toBeUndefined();
    await outbox.redispatchDue();
    const again = await scene.messageOf(message.promotionId);

    expect(again.dispatch).toBe(message.dispatch + 1);
    expect((await scene.claim(again)).fence).toBe(lease.fence + 1n);
  });

  it('that are handed over cost what was under way no attempt', async () => {
    const id = await scene.request({ targets: ['prod', 'prod-b'] });
    const { lease, journal, item } = await scene.open(await scene.messageOf(id));
    await journal.beginAttempt(item.targets);
    const [first, second] = item.targets;
    if (first === undefined || second === undefined) throw new Error('two targets were asked for');
    const trouble = new PromotionError('the tag was not seen', { code: 'tag-unconfirmed', operation: 'test', retryable: true });
    await journal.retryLater(second, trouble, 60_000, { bytesCopied: 0, bytesMounted: 0, bytesSkipped: 0 });

    await leases.release(lease, journal.begun);
    await leases.release(lease, journal.begun);

    expect([await attemptsOf(first.id), await attemptsOf(second.id)]).toEqual([0, 1]);
    expect(await outbox.redispatchDue()).toBe(1);
  });

  it('that are handed over give no attempt back that a dead worker had begun', async () => {
    const message = await scene.messageOf(await scene.request({ targets: ['prod', 'prod-b'] }));
    const dead = await scene.open(message, 'dead');
    const [first, second] = dead.item.targets;
    if (first === undefined || second === undefined) throw new Error('two targets were asked for');
    await dead.journal.beginAttempt([first, second]);
    await makeDue(message.promotionId);
    const { lease, journal } = await scene.open(message, 'next');
    await journal.beginAttempt([first]);

    await leases.release(lease, journal.begun);

    expect([await attemptsOf(first.id), await attemptsOf(second.id)]).toEqual([1, 1]);
  });

  it('that are handed over give no attempt back that this run only went on with', async () => {
    const message = await scene.messageOf(await scene.request({ targets: ['prod'] }));
    const { lease, journal, target } = await scene.open(message);
    await scene.database.tables.$executeRaw`
      UPDATE item_target SET attempts = 1, state = 'tagging', waiting_since = now() WHERE id = ${target.id}::uuid`;
    await journal.beginAttempt([target]);

    await leases.release(lease, journal.begun);

    expect(await attemptsOf(target.id)).toBe(1);
  });

  it('are sent again under a new number when their worker died', async () => {
    const message = await scene.messageOf(await scene.request({ targets: ['prod'] }));
    await scene.claim(message);
    expect(await outbox.redispatchDue()).toBe(0);
    await makeDue(message.promotionId);

    expect(await outbox.redispatchDue()).toBe(1);

    expect(await scene.takeMessages()).toEqual([{ ...message, dispatch: 2 }]);
    expect(await outbox.redispatchDue()).toBe(0);
  });

  it('are sent again as they are while nobody takes them, which adds no job to a queue that has theirs', async () => {
    const message = await scene.messageOf(await scene.request({ targets: ['prod'] }));
    for (let minute = 0; minute < 3; minute += 1) {
      expect(await outbox.redispatchDue()).toBe(0);
      await makeDue(message.promotionId);

      expect(await outbox.redispatchDue()).toBe(1);

      expect(await scene.takeMessages()).toEqual([message]);
    }
    await scene.run(message, new MemoryCopier());
    expect((await scene.promotion(message.promotionId)).state).toBe('succeeded');
  });

  it('tell since when any worker may take them, however often they are sent', async () => {
    const message = await scene.messageOf(await scene.request({ targets: ['prod'] }));
    const untaken = async () => (await scene.promotion(message.promotionId)).untaken.get('eu');
    const asked = await untaken();
    expect(asked).toBeInstanceOf(Date);
    await makeDue(message.promotionId);
    await outbox.redispatchDue();
    expect(await untaken()).toEqual(asked);

    const lease = await scene.claim(message);
    expect(await untaken()).toBeUndefined();
    await leases.release(lease, new Set());
    expect(await untaken()).not.toEqual(asked);
  });

  it('are nobody’s to take before a retry is due', async () => {
    const message = await scene.messageOf(await scene.request({ targets: ['prod'] }));
    const { journal, target, lease } = await scene.open(message);
    const trouble = new PromotionError('the tag was not seen', { code: 'tag-unconfirmed', operation: 'test', retryable: true });
    await journal.retryLater(target, trouble, 60_000, { bytesCopied: 0, bytesMounted: 0, bytesSkipped: 0 });
    await closeRun(scene.database, lease);

    expect((await scene.promotion(message.promotionId)).untaken).toEqual(new Map());
    await scene.database.tables.$executeRaw`UPDATE dispatch SET queued_at = now() WHERE promotion_id = ${message.promotionId}::uuid`;
    expect((await scene.promotion(message.promotionId)).untaken.has('eu')).toBe(true);
  });

  it('wait in the outbox once, however long the queue is away', async () => {
    const id = await scene.request({ targets: ['prod'] });
    for (let minute = 0; minute < 3; minute += 1) {
      await makeDue(id);
      expect(await outbox.redispatchDue()).toBe(1);
    }

    expect(await scene.takeMessages()).toEqual([{ promotionId: id, location: 'eu', dispatch: 1 }]);
  });

  it('are sent under a new number when a retry is due, since their job had its run', async () => {
    const message = await scene.messageOf(await scene.request({ targets: ['prod'] }));
    const copier = new MemoryCopier();
    copier.verify = () =>
      Promise.reject(new ContentError('the registry is in trouble', { code: 'unreachable', operation: 'test', retryable: true }));
    await scene.run(message, copier);

    await scene.redispatch(message.promotionId);

    expect(await leases.claim(message, 'late')).toBeUndefined();
    expect(await scene.takeMessages()).toEqual([{ ...message, dispatch: 2 }]);
  });

  it('that are due are sent once each, however many look for them', async () => {
    const ids = new Set<string>();
    for (let count = 0; count < 30; count += 1) ids.add(await scene.request({ targets: ['prod'] }));
    await scene.takeMessages();
    await scene.database.tables
      .$executeRaw`UPDATE dispatch SET due_at = now() - interval '1 second' WHERE promotion_id = ANY(${[...ids]}::uuid[])`;

    const counts = await Promise.all(Array.from({ length: 8 }, () => outbox.redispatchDue()));
    const messages = await scene.takeMessages();

    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(30);
    expect(messages.map(({ promotionId }) => promotionId).sort()).toEqual([...ids].sort());
    expect(new Set(messages.map(({ dispatch }) => dispatch))).toEqual(new Set([1]));
  });

  it('are relayed once each, however many relay', async () => {
    for (let count = 0; count < 30; count += 1) await scene.request({ targets: ['prod'] });
    const sent: string[] = [];
    const relay = () => outbox.relay((messages) => Promise.resolve(void sent.push(...messages.map(({ promotionId }) => promotionId))));

    while ((await Promise.all(Array.from({ length: 4 }, relay))).some((count) => count > 0));

    expect(sent).toHaveLength(30);
    expect(new Set(sent).size).toBe(30);
  });

  it('are sent twice with the same number when the relay breaks off after sending, and are still run once', async () => {
    const id = await scene.request({ targets: ['prod'] });
    const sent: DispatchMessage[] = [];
    const breaksOff = outbox.relay((messages) => {
      sent.push(...messages);
      return Promise.reject(new Error('the relay died'));
    });
    await expect(breaksOff).rejects.toThrow('the relay died');

    sent.push(...(await scene.takeMessages()));

    const message = { promotionId: id, location: 'eu', dispatch: 1 };
    expect(sent).toEqual([message, message]);
    await scene.run(message, new MemoryCopier());
    expect(await leases.claim(message, 'worker')).toBeUndefined();
    expect((await scene.promotion(id)).state).toBe('succeeded');
  });

  it('are finished when nothing is left, and come no more', async () => {
    const message = await scene.messageOf(await scene.request({ targets: ['prod'] }));
    await scene.run(message, new MemoryCopier());

    expect(await rowOf(message)).toMatchObject({ state: 'finished', dueAt: null, leaseHolder: null });
    expect(await outbox.redispatchDue()).toBe(0);
  });

  it.each(['pending', 'tagging'])('are sent again while a prod is left %s, which waits for nobody', async (state) => {
    const message = await scene.messageOf(await scene.request({ targets: ['prod'] }));
    const lease = await scene.claim(message);
    await scene.database.tables.itemTarget.updateMany({ where: { promotionId: message.promotionId }, data: { state } });

    await closeRun(scene.database, lease);

    expect(await rowOf(message)).toMatchObject({ state: 'queued', number: 2n });
    expect(await scene.takeMessages()).toEqual([{ ...message, dispatch: 2 }]);
  });

  it('leave a run alone that was taken over before it could close', async () => {
    const message = await scene.messageOf(await scene.request({ targets: ['prod'] }));
    let second: DispatchLease | undefined;
    const copier = new MemoryCopier();
    const { putTargetTag } = copier;
    copier.putTargetTag = async (...args) => {
      await putTargetTag(...args);
      await makeDue(message.promotionId);
      second ??= await scene.claim(message, 'second');
    };

    await expect(scene.run(message, copier)).rejects.toMatchObject({ code: 'lease-lost' });

    expect(await rowOf(message)).toMatchObject({ state: 'leased', leaseHolder: 'second' });
  });
});
