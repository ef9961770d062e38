import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Scene } from '../scene.spec-helper.js';
import { Schedules } from './schedules.js';

describe('Schedules', () => {
  let scene: Scene;
  let schedules: Schedules;

  beforeAll(async () => {
    scene = await Scene.start();
    schedules = new Schedules(scene.database);
  });

  afterAll(() => scene.close());

  it('gives what is due to exactly one of many who ask, and then not before a period has passed', async () => {
    const ask = () => schedules.claim('purge-idempotency-keys');
    expect((await Promise.all(Array.from({ length: 8 }, ask))).filter((claimed) => claimed)).toHaveLength(1);
    expect(await ask()).toBe(false);
    const [row] = await scene.database.tables.$queryRaw<{ in_a_period: boolean }[]>`
      SELECT next_due_at BETWEEN now() + every - interval '1 minute' AND now() + every AS in_a_period
      FROM schedule WHERE name = 'purge-idempotency-keys'`;
    expect(row).toEqual({ in_a_period: true });
  });

  it('catches up once, whatever was missed', async () => {
    await scene.database.tables.$executeRaw`UPDATE schedule SET next_due_at = now() - interval '3 days'`;

    expect([await schedules.claim('purge-idempotency-keys'), await schedules.claim('purge-idempotency-keys')]).toEqual([true, false]);
  });

  it('gives nobody what is unknown', async () => {
    expect(await schedules.claim('none')).toBe(false);
  });
});
