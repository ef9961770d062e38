import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Tag } from '@waybill/oci-model';
import { until } from '@waybill/testing';
import { Database } from '../database.js';
import { manifestNamed, Scene } from '../scene.spec-helper.js';
import { DispatchLeases } from './dispatch-lease.js';
import { lockPromotion } from './settle-promotion.js';

const bytes = { bytesCopied: 0, bytesMounted: 0, bytesSkipped: 0 };
const maxConnections = 3;

describe('many targets that end at once', () => {
  let scene: Scene;
  let other: Database;

  beforeEach(async () => {
    scene = await Scene.start({ maxConnections, connectTimeoutMs: 2_000 });
    other = new Database(scene.server.url);
  });

  afterEach(async () => {
    await other.close();
    await scene.close();
  });

  it('wait for the promotion’s lock with one connection, and leave the others to renewals', async () => {
    const images = Array.from({ length: 12 }, (_, index) => ({
      manifest: manifestNamed(`image ${index}`),
      tags: [`1.0.${index}` as Tag],
      targets: ['prod'],
    }));
    const [first, ...more] = images;
    const id = await scene.request(first, ...more);
    const { lease, journal, run } = await scene.open(await scene.messageOf(id));
    const leases = new DispatchLeases(scene.database, { leaseMs: 60_000 });
    const isWaitedFor = async () => {
      const [row] = await other.tables.$queryRaw<{ count: bigint }[]>`
        SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      return (row?.count ?? 0n) > 0n;
    };

    const endings = await other.transaction(async (tables) => {
      await lockPromotion(tables, id);
      const begun = run.items.flatMap(({ targets }) => targets).map((target) => journal.finish(target, { ...bytes, outcome: 'cancelled' }));
      const ended = Promise.allSettled(begun);
      await until('the lock is waited for', isWaitedFor);
      for (let renewal = 0; renewal < 3; renewal += 1) expect(await leases.renew(lease)).toBe(true);
      return { ended };
    });

    expect((await endings.ended).map(({ status }) => status)).toEqual(images.map(() => 'fulfilled'));
    expect((await scene.promotion(id)).state).toBe('cancelled');
  });
});
