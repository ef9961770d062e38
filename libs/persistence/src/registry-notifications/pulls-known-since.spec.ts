import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { app, HeardScene, told } from './heard-scene.spec-helper.js';
import { pullsKnownOf } from './pulls-known-since.js';

describe('pullsKnownOf', () => {
  let heard: HeardScene;

  beforeAll(async () => {
    heard = await HeardScene.start();
    await heard.begin();
  });
  afterAll(() => heard.scene.close());

  async function known(registryId: string): Promise<(number | 'unknown')[]> {
    const repositories = [app, 'elsewhere'];
    const since = await pullsKnownOf(heard.tables, { registryId, repositories });
    return repositories.map(since);
  }

  it('is unknown while a registry is not heard, and of a repository while a pull waits for what it was of', async () => {
    await heard.tables.$executeRaw`
      UPDATE notification_feed SET gap_at = '2026-01-01', known_since = '2026-01-02T00:00:00Z', heard_at = now() WHERE registry_id = ${heard.ci}::uuid`;
    const since = Date.parse('2026-01-02T00:00:00Z');
    expect(await known(heard.ci)).toEqual([since, since]);
    expect(await known(heard.prod)).toEqual(['unknown', 'unknown']);

    await heard.take({ told: [told('pulled', { name: 'stranger' })] });
    expect(await known(heard.ci)).toEqual(['unknown', since]);

    await heard.later(120_000);
    expect(await known(heard.ci)).toEqual(['unknown', 'unknown']);
  });
});
