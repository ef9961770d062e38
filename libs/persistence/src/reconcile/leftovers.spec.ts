import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { uuidV7 } from '@waybill/kernel';
import { MemoryCopier, Scene } from '../scene.spec-helper.js';
import { Leftovers } from './leftovers.js';

describe('Leftovers', () => {
  let scene: Scene;
  let leftovers: Leftovers;
  let id: string;

  beforeAll(async () => {
    scene = await Scene.start();
    leftovers = new Leftovers(scene.database);
  });
  afterAll(() => scene.close());

  beforeEach(async () => {
    id = await scene.request();
    await scene.takeMessages();
  });

  /** By hand, as no transaction of ours does. */
  const execute = (sql: string, ...values: readonly unknown[]) => scene.database.tables.$executeRawUnsafe(sql, ...values);

  /** Two processes at once. */
  async function twice(work: (each: Leftovers) => Promise<number>): Promise<number> {
    const counts = await Promise.all([work(leftovers), work(new Leftovers(scene.database))]);
    return counts.reduce((sum, count) => sum + count, 0);
  }

  describe('redispatchStranded', () => {
    it.each([
      ['finished', 'state = $$finished$$, due_at = NULL', 2],
      ['parked', 'state = $$parked$$, due_at = NULL', 1],
      ['queued and never due', 'due_at = NULL', 1],
    ])('sends a dispatch once that is %s though something is left to do', async (_name, change, number) => {
      await execute(`UPDATE dispatch SET ${change} WHERE promotion_id = $1::uuid AND location = 'eu'`, id);

      expect(await twice((each) => each.redispatchStranded())).toBe(1);

      const messages = await scene.takeMessages();
      expect(messages).toEqual([{ promotionId: id, location: 'eu', dispatch: number }]);
      expect(await leftovers.redispatchStranded()).toBe(0);
      for (const message of messages) await scene.run(message, new MemoryCopier());
      expect((await scene.promotion(id)).state).toBe('succeeded');
    });

    it('leaves work alone that is on its way, or is run by somebody', async () => {
      expect(await leftovers.redispatchStranded()).toBe(0);
      await scene.claim({ promotionId: id, location: 'eu', dispatch: 1 });

      expect(await leftovers.redispatchStranded()).toBe(0);
    });

    it('leaves a replica alone that waits for its prod', async () => {
      await scene.run({ promotionId: id, location: 'us', dispatch: 1 }, new MemoryCopier());
      expect(await scene.database.tables.dispatch.count({ where: { promotionId: id, state: 'parked' } })).toBe(1);

      expect(await leftovers.redispatchStranded()).toBe(0);
    });

    it('leaves targets alone whose time has not come, or that a pause holds', async () => {
      const pause = uuidV7.next();
      await execute(
        `INSERT INTO pause (id, scope, reason, paused_by) VALUES ($1::uuid, 'global', 'spec', $2::uuid)`,
        pause,
        scene.principalId,
      );
      await execute(`UPDATE dispatch SET state = 'parked', due_at = NULL WHERE promotion_id = $1::uuid`, id);
      await execute(`UPDATE item_target SET due_at = now() + interval '1 hour' WHERE promotion_id = $1::uuid AND location = 'us'`, id);
      await execute(
        `UPDATE item_target SET held_by = $2::uuid, held_since = now() WHERE promotion_id = $1::uuid AND location = 'eu'`,
        id,
        pause,
      );
      expect(await leftovers.redispatchStranded()).toBe(0);

      await execute(`UPDATE pause SET resumed_at = now(), resumed_by = paused_by WHERE id = $1::uuid`, pause);

      expect(await leftovers.redispatchStranded()).toBe(1);
      expect(await scene.takeMessages()).toMatchObject([{ promotionId: id, location: 'eu' }]);
      await execute(`UPDATE dispatch SET state = 'finished' WHERE promotion_id = $1::uuid`, id);
      await execute(
        `UPDATE item_target SET state = 'done', outcome = 'cancelled', held_by = NULL, held_since = NULL WHERE promotion_id = $1::uuid`,
        id,
      );
      await leftovers.settleEnded();
    });
  });

  describe('settleEnded', () => {
    it('gives a promotion its end, once and with its record, when all that decides is over', async () => {
      await execute(
        `UPDATE item_target SET state = 'done', outcome = 'copied' WHERE promotion_id = $1::uuid AND requirement = 'required'`,
        id,
      );

      expect(await twice((each) => each.settleEnded())).toBe(1);

      expect(await scene.promotion(id)).toMatchObject({ state: 'succeeded', finishedAt: expect.any(Date) });
      const records = await scene.database.tables.provenanceRecord.findMany({ where: { promotionId: id }, orderBy: { id: 'asc' } });
      expect(records.map(({ body }) => (body as { decision?: string }).decision)).toEqual(['requested', 'promotion-ended']);
      expect(await leftovers.settleEnded()).toBe(0);
    });

    it('leaves a promotion alone of which something required is left', async () => {
      await execute(
        `UPDATE item_target SET state = 'done', outcome = 'copied' WHERE promotion_id = $1::uuid AND requirement <> 'required'`,
        id,
      );

      expect(await leftovers.settleEnded()).toBe(0);
      expect((await scene.promotion(id)).state).toBe('requested');
    });
  });

  describe('releaseTagLeases', () => {
    const lease = (span: string) =>
      execute(`UPDATE tag_order SET lease_holder = 'somebody', lease_expires_at = now() + $1::interval`, span);

    it('clears what has run out, and keeps its fence', async () => {
      await lease('-1 second');
      const before = await scene.database.tables.tagOrder.findMany();

      expect(await twice((each) => each.releaseTagLeases())).toBe(before.length);

      const after = await scene.database.tables.tagOrder.findMany();
      expect(after).toEqual(before.map((row) => ({ ...row, leaseHolder: null, leaseExpiresAt: null })));
    });

    it('leaves those alone that hold', async () => {
      await lease('1 hour');

      expect(await leftovers.releaseTagLeases()).toBe(0);
      await lease('-1 second');
      await leftovers.releaseTagLeases();
    });
  });
});
