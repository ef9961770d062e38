import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ContentError, type Tag } from '@waybill/oci-model';
import { until } from '@waybill/testing';
import { Outbox } from '../run/outbox.js';
import { closeRun } from '../run/close-run.js';
import { image, MemoryCopier, oneTag, Scene } from '../scene.spec-helper.js';
import { cancelledAmong } from './cancelled-among.js';
import { PromotionControl } from './promotion-control.js';

const unknown = '01900000-0000-7000-8000-000000000000';

describe('PromotionControl.cancel', () => {
  let scene: Scene;
  let control: PromotionControl;
  let id: string;

  beforeAll(async () => {
    scene = await Scene.start();
    control = new PromotionControl(scene.database);
  });
  afterAll(() => scene.close());

  beforeEach(async () => {
    id = await scene.request();
  });

  const cancel = (reason?: string) => control.cancel(id, { by: scene.principalId, ...(reason === undefined ? {} : { reason }) });

  async function targetsOf(): Promise<unknown[]> {
    const { items } = await scene.promotion(id);
    return items.flatMap((item) => item.targets.map(({ registry, state, outcome }) => [registry.name, state, outcome]));
  }

  async function dispatches(): Promise<unknown[]> {
    const rows = await scene.database.tables.dispatch.findMany({ where: { promotionId: id }, orderBy: { location: 'asc' } });
    return rows.map(({ location, state, dueAt }) => [location, state, dueAt === null ? 'never' : 'due']);
  }

  async function decisions(): Promise<unknown[]> {
    const rows = await scene.database.tables.provenanceRecord.findMany({ where: { promotionId: id }, orderBy: { id: 'asc' } });
    return rows.map(({ body }) => body).filter((body) => (body as { decision?: string }).decision !== 'requested');
  }

  it('ends everything at once while no worker has begun, and says who wanted it', async () => {
    await cancel('wrong version');

    expect(await targetsOf()).toEqual([
      ['prod', 'done', 'cancelled'],
      ['prod-us', 'done', 'cancelled'],
    ]);
    expect(await scene.promotion(id)).toMatchObject({
      state: 'cancelled',
      finishedAt: expect.any(Date),
      cancellation: { requestedBy: scene.principalId, reason: 'wrong version' },
    });
    expect(await dispatches()).toEqual([
      ['eu', 'finished', 'never'],
      ['us', 'finished', 'never'],
    ]);
    expect(await decisions()).toMatchObject([
      { decision: 'cancel-requested', requestedBy: scene.principalId, reason: 'wrong version' },
      { decision: 'target-ended', registry: 'prod', outcome: 'cancelled', error: { code: 'cancelled' } },
      { decision: 'target-ended', registry: 'prod-us', outcome: 'cancelled' },
      { decision: 'promotion-ended', state: 'cancelled' },
    ]);
    // Jobs that were sent before find nothing to do.
    for (const message of await scene.takeMessages()) await expect(scene.claim(message)).rejects.toThrow('not to be had');
  });

  it('is the same a second time, whoever says so', async () => {
    await cancel('first');
    const before = [await scene.promotion(id), await decisions()];

    await cancel('second');

    expect([await scene.promotion(id), await decisions()]).toEqual(before);
  });

  it('refuses what has ended everywhere, and what is unknown', async () => {
    const messages = await scene.takeMessages();
    for (const message of messages.filter(({ promotionId }) => promotionId === id)) await scene.run(message, new MemoryCopier());

    await expect(cancel()).rejects.toMatchObject({ code: 'promotion-finished' });
    await expect(control.cancel(unknown, { by: scene.principalId })).rejects.toMatchObject({ code: 'promotion-finished' });
    expect((await scene.promotion(id)).cancellation).toBeNull();
  });

  it('leaves the target of a run under way to its worker, and ends the others', async () => {
    const run = await scene.open(await scene.messageOf(id));
    await run.journal.beginAttempt([run.target]);

    await cancel();

    expect(await targetsOf()).toEqual([
      ['prod', 'copying', null],
      ['prod-us', 'done', 'cancelled'],
    ]);
    expect(await cancelledAmong(scene.database, [id, unknown])).toEqual(new Set([id]));
    await expect(run.journal.acquireTag(run.target, oneTag)).resolves.toEqual({ turn: 'cancelled' });
    await closeRun(scene.database, run.lease);
    expect(await scene.promotion(id)).toMatchObject({ state: 'cancelled' });
    expect(await dispatches()).toEqual([
      ['eu', 'finished', 'never'],
      ['us', 'finished', 'never'],
    ]);
  });

  it('lets no tag be written whose lease was taken before', async () => {
    const { journal, target } = await scene.open(await scene.messageOf(id));
    await journal.beginAttempt([target]);
    await expect(journal.acquireTag(target, oneTag)).resolves.toMatchObject({ turn: 'ours' });

    await cancel();

    await expect(journal.intendTag(target, oneTag, image.digest, undefined)).rejects.toMatchObject({ code: 'cancelled' });
    await journal.releaseTag(target, oneTag);
  });

  it('lets no tag be written whose record waited for it', async () => {
    const { journal, target } = await scene.open(await scene.messageOf(id));
    await journal.beginAttempt([target]);
    await journal.acquireTag(target, oneTag);

    const intended = await scene.database.transaction(async (tables) => {
      await tables.$queryRaw`SELECT 1 FROM dispatch WHERE promotion_id = ${id}::uuid FOR UPDATE`;
      await tables.promotionCancellation.create({ data: { promotionId: id, requestedBy: scene.principalId } });
      const writing = Promise.allSettled([journal.intendTag(target, oneTag, image.digest, undefined)]);
      await until('the record waits', async () => {
        const [waiting] = await scene.database.tables.$queryRaw<{ count: bigint }[]>`
          SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
        return waiting?.count === 1n;
      });
      return { writing };
    });

    expect(await intended.writing).toMatchObject([{ status: 'rejected', reason: { code: 'cancelled' } }]);
    await journal.releaseTag(target, oneTag);
  });

  it('ends what waits for its next attempt, with nothing open, at once', async () => {
    const down = new MemoryCopier();
    down.copy = () => Promise.reject(new Error('down'));
    await scene.run(await scene.messageOf(id), down);
    expect(await dispatches()).toContainEqual(['eu', 'queued', 'due']);

    await cancel();

    expect(await targetsOf()).toContainEqual(['prod', 'done', 'cancelled']);
    expect((await scene.promotion(id)).state).toBe('cancelled');
  });

  it('sends a worker where something was begun, though its retry is not due: it is settled from what is there', async () => {
    const copier = new MemoryCopier();
    copier.verify = () => Promise.reject(new Error('the registry stumbles'));
    const { lease, journal, target } = await scene.open(await scene.messageOf(id));
    await journal.beginAttempt([target]);
    await journal.intendManifest(target, image);
    copier.manifests.add(`prod@${image.digest}`);
    await journal.retryLater(target, stumble, 3_600_000, noBytes);
    await closeRun(scene.database, lease);

    await cancel();
    expect(await targetsOf()).toContainEqual(['prod', 'pending', null]);
    await scene.run(await scene.messageOf(id), copier);

    expect(await targetsOf()).toContainEqual(['prod', 'done', 'cancelled']);
    expect((await scene.promotion(id)).state).toBe('cancelled');
    const effects = await scene.database.tables.effect.findMany({ where: { promotionId: id } });
    expect(effects.map(({ kind, state, outcome }) => [kind, state, outcome])).toEqual([['manifest', 'settled', 'written']]);
  });

  it('is carried out by the next worker when the one that ran it died', async () => {
    const run = await scene.open(await scene.messageOf(id));
    await run.journal.beginAttempt([run.target]);
    await run.journal.intendManifest(run.target, image);
    await cancel();
    await scene.database.tables
      .$executeRaw`UPDATE dispatch SET lease_expires_at = now(), due_at = now() WHERE promotion_id = ${id}::uuid AND state = 'leased'`;
    await new Outbox(scene.database).redispatchDue();

    await scene.run(await scene.messageOf(id), new MemoryCopier());

    expect(await targetsOf()).toContainEqual(['prod', 'done', 'cancelled']);
    const [effect] = await scene.database.tables.effect.findMany({ where: { promotionId: id } });
    expect(effect).toMatchObject({ state: 'settled', outcome: 'not-written' });
    expect(await dispatches()).toContainEqual(['eu', 'finished', 'never']);
  });

  it('makes the promotion partial when a target has arrived, or a tag of one that has not', async () => {
    id = await scene.request({ targets: ['prod-b'], tags: ['2.0.0' as Tag, 'latest' as Tag] });
    const { lease, journal, target } = await scene.open(await scene.messageOf(id));
    await journal.beginAttempt([target]);
    await journal.acquireTag(target, '2.0.0' as Tag);
    await journal.intendTag(target, '2.0.0' as Tag, image.digest, undefined);
    await journal.settleTag(target, '2.0.0' as Tag, image.digest, { outcome: 'written' });

    await cancel();
    await closeRun(scene.database, lease);

    const { state, items } = await scene.promotion(id);
    expect(state).toBe('partial');
    expect(items[0]?.targets[0]?.tags.map(({ tag, outcome }) => [tag, outcome])).toEqual([
      ['2.0.0', 'written'],
      ['latest', null],
    ]);
  });

  it('stops replicas of a promotion that has succeeded, which stays so', async () => {
    await scene.run(await scene.messageOf(id), new MemoryCopier());
    expect((await scene.promotion(id)).state).toBe('succeeded');

    await cancel();

    expect(await targetsOf()).toEqual([
      ['prod', 'done', 'copied'],
      ['prod-us', 'done', 'cancelled'],
    ]);
    expect((await scene.promotion(id)).state).toBe('succeeded');
  });
});

const stumble = new ContentError('the registry stumbles', { code: 'unavailable', operation: 'copy', retryable: true });
const noBytes = { bytesCopied: 0, bytesMounted: 0, bytesSkipped: 0 };
