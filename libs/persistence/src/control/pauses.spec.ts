import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { uuidV7 } from '@waybill/kernel';
import { ContentError, type Tag } from '@waybill/oci-model';
import { IdempotencyKeys } from '../access/idempotency-keys.js';
import { closeRun } from '../run/close-run.js';
import { loadRun } from '../run/load-run.js';
import { type Asked, image, MemoryCopier, Scene } from '../scene.spec-helper.js';
import { HeldTargets } from './held-targets.js';
import { type PauseRow, Pauses, type PauseScope } from './pauses.js';
import { PromotionControl } from './promotion-control.js';

const everything: PauseScope = { scope: 'global' };
const ofPath: PauseScope = { scope: 'path', name: 'release' };
const ofRegistry = (name: string): PauseScope => ({ scope: 'registry', name });

describe('pauses', () => {
  let scene: Scene;
  let pauses: Pauses;
  let held: HeldTargets;
  let tag: Tag;
  let count = 0;

  beforeAll(async () => {
    scene = await Scene.start();
    pauses = new Pauses(scene.database);
    held = new HeldTargets(scene.database);
  });
  afterAll(() => scene.close());

  beforeEach(() => {
    tag = `${++count}.0.0` as Tag;
  });
  afterEach(async () => {
    for (const { id } of await pauses.list({ limit: 100, isHistory: false })) await resume(id);
    await held.wake();
    await scene.takeMessages();
  });

  async function pause(scope: PauseScope, reason = 'freeze'): Promise<PauseRow> {
    const request = { principalId: scene.principalId, route: 'POST /pauses', key: uuidV7.next(), hash: new Uint8Array(32) };
    const claim = await new IdempotencyKeys(scene.database).claim(request);
    if (claim.claim !== 'ours') throw new Error(`the claim is ${claim.claim}`);
    const id = uuidV7.next();
    await pauses.create(
      { ...scope, id, by: scene.principalId, reason },
      { request, token: claim.token, answerOf: (row) => ({ status: 201, headers: {}, body: { id: row.id } }) },
    );
    const row = await pauses.get(id);
    if (row === undefined) throw new Error('the pause was not made');
    return row;
  }

  const resume = (id: string) => pauses.resume(id, { by: scene.principalId, reason: 'over' });
  const request = (asked: Asked = {}) => scene.request({ tags: [tag], targets: ['prod'], ...asked });

  async function targetsOf(id: string) {
    const { items } = await scene.promotion(id);
    return items
      .flatMap((item) => item.targets)
      .map(({ registry, state, outcome, attempts, pause: by }) => ({
        registry: registry.name,
        ended: outcome ?? state,
        attempts,
        by: by?.id,
      }));
  }

  async function dispatchOf(promotionId: string, location = 'eu') {
    const row = await scene.database.tables.dispatch.findUniqueOrThrow({ where: { promotionId_location: { promotionId, location } } });
    return { state: row.state, due: row.dueAt !== null };
  }

  it.each<[string, PauseScope]>([
    ['everything', everything],
    ['its path', ofPath],
    ['its registry', ofRegistry('prod')],
    ['its source', ofRegistry('ci')],
  ])('of %s hold a target before its work begins, without an attempt, a lease or a job', async (_what, scope) => {
    const { id: by } = await pause(scope);
    const id = await request();
    const copier = new MemoryCopier();

    await scene.run(await scene.messageOf(id), copier);

    expect(await targetsOf(id)).toEqual([{ registry: 'prod', ended: 'pending', attempts: 0, by }]);
    expect(await dispatchOf(id)).toEqual({ state: 'parked', due: false });
    expect((await scene.promotion(id)).state).toBe('waiting');
    expect([copier.manifests.size, await scene.takeMessages()]).toEqual([0, []]);
  });

  it.each<[string, PauseScope]>([
    ['another registry', ofRegistry('prod-c')],
    ['another path', { scope: 'path', name: 'hotfix' }],
  ])('of %s are none of its', async (_what, scope) => {
    await pause(scope);
    const id = await request();

    await scene.run(await scene.messageOf(id), new MemoryCopier());

    expect((await scene.promotion(id)).state).toBe('succeeded');
  });

  it('hold one registry, and let the others of the promotion go on', async () => {
    const { id: by } = await pause(ofRegistry('prod-b'));
    const id = await request({ targets: ['prod', 'prod-b'] });
    const copier = new MemoryCopier();

    await scene.run(await scene.messageOf(id), copier);

    expect((await targetsOf(id)).sort((one, other) => (one.registry < other.registry ? -1 : 1))).toMatchObject([
      { registry: 'prod', ended: 'copied' },
      { registry: 'prod-b', ended: 'pending', attempts: 0, by },
    ]);
    expect((await scene.promotion(id)).state).toBe('waiting');
    await resume(by);
    await held.wake();
    await scene.run(await scene.messageOf(id), copier);
    expect((await scene.promotion(id)).state).toBe('succeeded');
  });

  it('that come while a copy runs hold its tags back; when they end it is verified anew and tagged', async () => {
    const id = await request();
    const copier = new MemoryCopier();
    let verified = 0;
    let by = '';
    const { verify } = copier;
    copier.verify = async (...args) => {
      if (++verified === 1) by = (await pause(everything)).id;
      return verify(...args);
    };

    await scene.run(await scene.messageOf(id), copier);

    expect(copier.tags.size).toBe(0);
    expect(await targetsOf(id)).toEqual([{ registry: 'prod', ended: 'pending', attempts: 0, by }]);
    await resume(by);
    expect(await held.wake()).toBe(1);
    await scene.run(await scene.messageOf(id), copier);
    expect(await targetsOf(id)).toMatchObject([{ ended: 'copied', attempts: 1, by: undefined }]);
    expect(copier.tags.get(`prod:${tag}`)).toBe(image.digest);
    expect(verified).toBe(2);
    const effects = await scene.database.tables.effect.findMany({ where: { promotionId: id } });
    expect(effects.map(({ kind, outcome }) => [kind, outcome]).sort()).toEqual([
      ['manifest', 'written'],
      ['tag', 'written'],
    ]);
  });

  it('that come after the lease of a tag was taken hold it back all the same', async () => {
    const id = await request();
    const { lease, journal, target } = await scene.open(await scene.messageOf(id));
    await journal.beginAttempt([target]);
    await expect(journal.acquireTag(target, tag)).resolves.toMatchObject({ turn: 'ours' });

    await pause(ofPath);

    await expect(journal.intendTag(target, tag, image.digest, undefined)).rejects.toMatchObject({ code: 'paused' });
    await journal.releaseTag(target, tag);
    await expect(journal.acquireTag(target, tag)).resolves.toEqual({ turn: 'paused' });
    await closeRun(scene.database, lease);
  });

  it('wake what they held once, whoever looks, and only those that have ended', async () => {
    const [first, second] = [await pause(ofRegistry('prod')), await pause(ofRegistry('prod-b'))];
    const [one, two] = [await request(), await request({ targets: ['prod-b'] })];
    for (const message of (await scene.takeMessages()).filter(({ promotionId }) => [one, two].includes(promotionId))) {
      await scene.run(message, new MemoryCopier());
    }

    await resume(first.id);
    await Promise.all([held.wake(), held.wake(), held.wake()]);

    expect((await scene.takeMessages()).map(({ promotionId }) => promotionId)).toEqual([one]);
    expect(await dispatchOf(two)).toEqual({ state: 'parked', due: false });
    expect(await targetsOf(two)).toMatchObject([{ by: second.id }]);
  });

  it('that end just as a run holds a target leave nothing behind', async () => {
    const { id: by } = await pause(everything);
    const id = await request();
    const { lease, journal, target } = await scene.open(await scene.messageOf(id));
    expect(await journal.beginAttempt([target])).toEqual(new Set([target.id]));

    await resume(by);
    await closeRun(scene.database, lease);

    expect(await dispatchOf(id)).toEqual({ state: 'queued', due: true });
    await scene.run(await scene.messageOf(id), new MemoryCopier());
    expect((await scene.promotion(id)).state).toBe('succeeded');
  });

  it('that end before a target is held back leave it ready', async () => {
    const id = await request();
    const { lease, journal, target } = await scene.open(await scene.messageOf(id));
    await journal.beginAttempt([target]);

    await journal.holdBack(target);
    await closeRun(scene.database, lease);

    expect(await targetsOf(id)).toEqual([{ registry: 'prod', ended: 'pending', attempts: 0, by: undefined }]);
    expect(await dispatchOf(id)).toEqual({ state: 'queued', due: true });
  });

  it('of several that cover a target, each has to end', async () => {
    const older = await pause(ofPath);
    const newer = await pause(everything);
    const id = await request();
    await scene.run(await scene.messageOf(id), new MemoryCopier());
    expect(await targetsOf(id)).toMatchObject([{ by: older.id }]);

    await resume(older.id);
    await held.wake();
    await scene.run(await scene.messageOf(id), new MemoryCopier());

    expect(await targetsOf(id)).toMatchObject([{ by: newer.id, attempts: 0 }]);
  });

  it('hold retries, which keep the attempts that they had', async () => {
    const id = await request();
    const down = new MemoryCopier();
    const { verify } = down;
    const stumble = new ContentError('the registry stumbles', { code: 'unavailable', operation: 'verify', retryable: true });
    down.verify = () => Promise.reject(stumble);
    await scene.run(await scene.messageOf(id), down);
    const { id: by } = await pause(ofPath);

    await scene.redispatch(id);
    await scene.run(await scene.messageOf(id), down);
    expect(await targetsOf(id)).toEqual([{ registry: 'prod', ended: 'pending', attempts: 1, by }]);
    await resume(by);
    await held.wake();
    down.verify = verify;
    await scene.run(await scene.messageOf(id), down);

    expect(await targetsOf(id)).toMatchObject([{ ended: 'copied', attempts: 2 }]);
  });

  it('let a replica be copied while its prod is held, and wait for that', async () => {
    const { id: by } = await pause(ofRegistry('prod'));
    const id = await request({ targets: ['prod', 'prod-us'] });
    const copier = new MemoryCopier();
    for (const message of (await scene.takeMessages()).filter(({ promotionId }) => promotionId === id)) await scene.run(message, copier);

    expect((await targetsOf(id)).map(({ ended }) => ended)).toEqual(['pending', 'tagging']);
    await resume(by);
    await held.wake();
    await scene.run(await scene.messageOf(id), copier);
    await scene.run(await scene.messageOf(id, 'us'), copier);

    expect((await targetsOf(id)).map(({ ended }) => ended)).toEqual(['copied', 'copied']);
  });

  it('let what they hold be cancelled, at once', async () => {
    await pause(everything);
    const id = await request();
    await scene.run(await scene.messageOf(id), new MemoryCopier());

    await new PromotionControl(scene.database).cancel(id, { by: scene.principalId });

    expect(await targetsOf(id)).toMatchObject([{ ended: 'cancelled', by: undefined }]);
    expect((await scene.promotion(id)).state).toBe('cancelled');
    expect(await dispatchOf(id)).toEqual({ state: 'finished', due: false });
  });

  it('hold nothing any more that ends under the lease of a run', async () => {
    const { id: by } = await pause(ofRegistry('prod-b'));
    const id = await request({ targets: ['prod', 'prod-b'] });
    const { journal, item } = await scene.open(await scene.messageOf(id));
    await journal.beginAttempt(item.targets);
    expect(await targetsOf(id)).toMatchObject([{ by: undefined }, { by }]);

    const noBytes = { bytesCopied: 0, bytesMounted: 0, bytesSkipped: 0 };
    for (const target of item.targets) await journal.finish(target, { ...noBytes, outcome: 'cancelled' });

    expect(await targetsOf(id)).toMatchObject([
      { ended: 'cancelled', by: undefined },
      { ended: 'cancelled', by: undefined },
    ]);
  });

  it('are refused twice for the same, and may be made again when they have ended', async () => {
    const { id } = await pause(ofPath);
    await expect(pause(ofPath)).rejects.toMatchObject({ code: 'already-paused', details: { pause: id } });

    await resume(id);

    expect((await pause(ofPath)).id).not.toBe(id);
  });

  it('keep who ended them first, and why', async () => {
    const { id } = await pause(ofPath);

    const ended = await resume(id);
    const again = await pauses.resume(id, { by: scene.principalId, reason: 'another one' });

    expect(ended).toMatchObject({ resumedBy: scene.principalId, resumeReason: 'over', resumedAt: expect.any(Date) });
    expect(again).toEqual(ended);
    expect(await pauses.resume(uuidV7.next(), { by: scene.principalId })).toBeUndefined();
  });

  it('loads a held target again with others of its location', async () => {
    await pause(ofRegistry('prod'));
    const id = await request({ targets: ['prod', 'prod-b'] });
    await scene.run(await scene.messageOf(id), new MemoryCopier());

    const loaded = await loadRun(scene.database, id, 'eu');

    expect(loaded?.run.items[0]?.targets.map(({ registry }) => registry)).toEqual(['prod']);
  });
});
