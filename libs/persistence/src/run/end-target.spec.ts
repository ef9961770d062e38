import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ContentError, type Digest, digestFromBytes, type Tag } from '@waybill/oci-model';
import { image, manifestNamed, MemoryCopier, Scene } from '../scene.spec-helper.js';
import { closeRun } from './close-run.js';
import { Outbox } from './outbox.js';

const foreign = manifestNamed('somebody else’s image').digest;
const noBytes = { bytesCopied: 0, bytesMounted: 0, bytesSkipped: 0 };

describe('the end of a target', () => {
  let scene: Scene;
  let outbox: Outbox;
  let tags = 0;
  let tag: Tag;

  beforeAll(async () => {
    scene = await Scene.start();
    outbox = new Outbox(scene.database);
  });

  afterAll(() => scene.close());

  beforeEach(() => {
    tags += 1;
    tag = `1.0.${tags}` as Tag;
  });

  const effectsOf = (promotionId: string) =>
    scene.database.tables.effect.findMany({ where: { promotionId }, include: { record: true }, orderBy: { intendedAt: 'asc' } });
  const targetsOf = async (id: string) => (await scene.promotion(id)).items.flatMap((item) => item.targets);

  /** Runs a promotion to prod until it has ended. */
  async function runToEnd(copier: MemoryCopier): Promise<string> {
    const id = await scene.request({ targets: ['prod'], tags: [tag] });
    for (let attempt = 0; attempt < 5 && (await scene.promotion(id)).finishedAt === null; attempt += 1) {
      await scene.run(await scene.messageOf(id), copier);
      await scene.redispatch(id);
    }
    return id;
  }

  function broken(code: 'unreachable' | 'denied', retryable = true): Promise<never> {
    return Promise.reject(new ContentError('the registry is in trouble', { code, operation: 'test', retryable }));
  }

  it('settles the manifests that a failed copy left, by what is there', async () => {
    const missing = manifestNamed('never sent').digest;
    const copier = new MemoryCopier();
    const { copy } = copier;
    copier.copy = async (item, targets, options) => {
      await copy(item, targets, { ...options, onSettled: () => undefined });
      for (const { id } of targets) await options.beforeManifest(id, manifestNamed('never sent'));
      return broken('denied', false);
    };

    const id = await runToEnd(copier);

    expect((await targetsOf(id))[0]).toMatchObject({ state: 'done', outcome: 'failed', error: { code: 'denied' } });
    const effects = await effectsOf(id);
    const told = effects.map(({ state, outcome, digest, record }) => [
      state,
      outcome,
      digestFromBytes(digest),
      (record?.body as { outcome: string }).outcome,
    ]);
    expect(told).toEqual([
      ['settled', 'written', image.digest, 'written'],
      ['settled', 'not-written', missing, 'not-written'],
    ]);
  });

  it('leaves open what cannot be read, for all to see', async () => {
    const copier = new MemoryCopier();
    copier.verify = () => broken('denied', false);
    copier.holdsManifest = () => broken('unreachable');

    const id = await runToEnd(copier);

    expect((await targetsOf(id))[0]).toMatchObject({ outcome: 'failed' });
    expect(await effectsOf(id)).toEqual([expect.objectContaining({ kind: 'manifest', state: 'intended', record: null })]);
  });

  it.each([
    ['written', true],
    ['not-written', false],
  ])('settles a tag whose answer was lost at every attempt as %s', async (outcome, isWritten) => {
    const copier = new MemoryCopier();
    let reads = 0;
    copier.putTargetTag = (item, target, name) => {
      if (isWritten) copier.tags.set(`${target.registry}:${name}`, item.digest);
      return broken('unreachable');
    };
    copier.resolveTargetTag = ({ registry }, name) => {
      reads += 1;
      // Answered before the write and at the end; neither after the write nor in the second attempt.
      return reads === 1 || reads === 4 ? Promise.resolve(copier.tags.get(`${registry}:${name}`)) : broken('unreachable');
    };
    const id = await scene.request({ targets: ['prod'], tags: [tag] });
    await scene.run(await scene.messageOf(id), copier);
    await scene.database.tables.$executeRaw`UPDATE tag_order SET lease_expires_at = now() WHERE tag = ${tag}`;
    await scene.redispatch(id);
    await scene.run(await scene.messageOf(id), copier);

    expect(reads).toBe(4);
    expect((await targetsOf(id))[0]).toMatchObject({ outcome: 'failed', attempts: 2, tags: [{ outcome: isWritten ? 'written' : null }] });
    const effects = await effectsOf(id);
    expect(effects.map(({ kind, state, outcome: ended, record }) => [kind, state, ended, record === null])).toEqual([
      ['manifest', 'settled', 'written', false],
      ['tag', 'settled', outcome, false],
    ]);
    const order = await scene.database.tables.tagOrder.findFirstOrThrow({ where: { tag } });
    expect(order.writtenTicket).toBe(isWritten ? 1n : 0n);
    expect(await scene.database.tables.tagEvent.count({ where: { tag } })).toBe(isWritten ? 1 : 0);
  });

  describe('when a newer release overtook an attempt that was cut off', () => {
    const newer = manifestNamed('a newer image');

    /** The older release's answer is lost, the newer one writes, and the older one is run again when the tag holds `found`. */
    async function overtake(found: Digest | undefined, read?: () => Promise<never>): Promise<string> {
      const [older, later] = [new MemoryCopier(), new MemoryCopier(newer)];
      older.putTargetTag = () => broken('unreachable');
      const id = await scene.request({ targets: ['prod-b'], tags: [tag] });
      await scene.run(await scene.messageOf(id), older);
      await scene.database.tables.$executeRaw`UPDATE tag_order SET lease_expires_at = now() WHERE tag = ${tag}`;
      const next = await scene.request({ targets: ['prod-b'], tags: [tag], manifest: newer });
      await scene.run(await scene.messageOf(next), later);
      await scene.redispatch(id);
      older.resolveTargetTag = read ?? (() => Promise.resolve(found));
      await scene.run(await scene.messageOf(id), older);
      return id;
    }

    const eventsOf = async () => {
      const events = await scene.database.tables.tagEvent.findMany({ where: { tag }, orderBy: { id: 'asc' } });
      return events.map(({ digest }) => digest && digestFromBytes(digest));
    };

    it.each([
      ['overwritten', 'what the newer one wrote', newer.digest, [newer.digest]],
      ['overwritten', 'what nobody of ours wrote', foreign, [newer.digest, foreign]],
      ['written', 'its own, which landed late', image.digest, [newer.digest, image.digest]],
      ['not-written', 'nothing, as before', undefined, [newer.digest]],
    ])('settles its tag as %s where that holds %s', async (outcome, _name, found, events) => {
      const id = await overtake(found);

      expect((await targetsOf(id))[0]).toMatchObject({ outcome: 'superseded', tags: [{ outcome: 'superseded' }] });
      const effect = (await effectsOf(id)).find(({ kind }) => kind === 'tag');
      expect(effect).toMatchObject({ state: 'settled', outcome, record: { body: { outcome } } });
      expect(effect?.observedDigest && digestFromBytes(effect.observedDigest)).toBe(found ?? null);
      expect(await eventsOf()).toEqual(events);
      const { writtenTicket, writtenDigest } = await scene.database.tables.tagOrder.findFirstOrThrow({ where: { tag } });
      expect([writtenTicket, digestFromBytes(writtenDigest ?? new Uint8Array())]).toEqual([2n, newer.digest]);
    });

    it('leaves its tag open, for all to see, where that cannot be read', async () => {
      const id = await overtake(undefined, () => broken('unreachable'));

      expect((await targetsOf(id))[0]).toMatchObject({ outcome: 'superseded' });
      const effect = (await effectsOf(id)).find(({ kind }) => kind === 'tag');
      expect(effect).toMatchObject({ state: 'intended', record: null });
    });
  });

  it('comes after the allowed attempts when every one of them breaks off', async () => {
    const id = await scene.request({ targets: ['prod'], tags: [tag] });
    const poison = new MemoryCopier();
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const { journal, item, target } = await scene.open(await scene.messageOf(id));
      await journal.beginAttempt([target]);
      await poison.copy(item, [target], {
        beforeManifest: (_id, manifest) => journal.intendManifest(target, manifest),
        onSettled: () => undefined,
        signal: new AbortController().signal,
      });
      // Here the process dies.
      await scene.redispatch(id);
    }

    await scene.run(await scene.messageOf(id), poison);

    expect(await scene.promotion(id)).toMatchObject({ state: 'failed' });
    expect((await targetsOf(id))[0]).toMatchObject({ outcome: 'failed', attempts: 2, error: { code: 'attempts-exhausted' } });
    expect(await effectsOf(id)).toEqual([expect.objectContaining({ state: 'settled', outcome: 'written' })]);
    await outbox.redispatchDue();
    expect(await scene.takeMessages()).toEqual([]);
  });

  it('decides the promotion once, when the last two end at once', async () => {
    for (let round = 0; round < 15; round += 1) {
      const id = await scene.request({ targets: ['prod', 'prod-b'], tags: [`2.0.${round}` as Tag] });
      const { journal, item } = await scene.open(await scene.messageOf(id));
      await journal.beginAttempt(item.targets);

      await Promise.all(item.targets.map((target) => journal.finish(target, { ...noBytes, outcome: 'copied' })));

      expect((await scene.promotion(id)).state).toBe('succeeded');
      const ended = await scene.database.tables.provenanceRecord.count({
        where: { promotionId: id, body: { path: ['decision'], equals: 'promotion-ended' } },
      });
      expect(ended).toBe(1);
    }
  });

  it('wakes the waiting replica, however closely it parks when its prod ends', async () => {
    for (let round = 0; round < 40; round += 1) {
      const id = await scene.request({ tags: [`3.0.${round}` as Tag] });
      const [eu, us] = await scene.takeMessages();
      if (eu === undefined || us === undefined) throw new Error('two messages were expected');
      const [prod, replica] = [await scene.open(eu, 'eu'), await scene.open(us, 'us')];
      await prod.journal.beginAttempt([prod.target]);
      await replica.journal.beginAttempt([replica.target]);
      await scene.database.tables.itemTarget.update({ where: { id: replica.target.id }, data: { state: 'tagging' } });
      expect(await replica.journal.readinessToTag(replica.target)).toEqual({ ready: false, wait: true });

      const parks = () => closeRun(scene.database, replica.lease);
      const ends = () => prod.journal.finish(prod.target, { ...noBytes, outcome: 'copied' });
      await Promise.all(round % 2 === 0 ? [parks(), ends()] : [ends(), parks()]);

      const [woken] = await scene.takeMessages();
      expect(woken).toMatchObject({ promotionId: id, location: 'us' });
      expect(await scene.open({ promotionId: id, location: 'us', dispatch: woken?.dispatch ?? 0 })).toMatchObject({
        target: { isWaiting: true, attempts: 1 },
      });
    }
  });

  it('counts no attempt for a replica that only waits', async () => {
    const id = await scene.request({ tags: [tag] });
    const copier = new MemoryCopier();
    const us = (await scene.takeMessages()).find(({ location }) => location === 'us');
    if (us === undefined) throw new Error('no message');
    await scene.run(us, copier);
    for (let woken = 0; woken < 4; woken += 1) {
      await scene.database.tables.$executeRaw`UPDATE dispatch SET due_at = now() WHERE promotion_id = ${id}::uuid AND location = 'us'`;
      await outbox.redispatchDue();
      await scene.run(await scene.messageOf(id, 'us'), copier);
    }

    const replica = (await targetsOf(id)).find(({ location }) => location === 'us');
    expect(replica).toMatchObject({ state: 'tagging', attempts: 1, waitingSince: expect.any(Date), error: null });
  });

  it('keeps one effect and one record of everything, after any number of attempts', async () => {
    const copier = new MemoryCopier();
    const { verify } = copier;
    let verified = 0;
    copier.verify = (...args) => {
      verified += 1;
      return verified < 2 ? broken('unreachable') : verify(...args);
    };

    const id = await runToEnd(copier);

    expect((await targetsOf(id))[0]).toMatchObject({ outcome: 'copied', attempts: 2 });
    expect((await effectsOf(id)).map(({ kind, state, outcome, record }) => [kind, state, outcome, record === null])).toEqual([
      ['manifest', 'settled', 'written', false],
      ['tag', 'settled', 'written', false],
    ]);
  });
});
