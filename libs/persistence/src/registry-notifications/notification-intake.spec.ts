import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { named } from '../retention/inventory-rows.spec-helper.js';
import { app, HeardScene, told } from './heard-scene.spec-helper.js';

describe('what registries tell', () => {
  let heard: HeardScene;

  beforeAll(async () => {
    heard = await HeardScene.start();
  });
  afterAll(() => heard.scene.close());
  beforeEach(() => heard.begin());

  it('of a pull is when what was pulled was pulled last, and nothing beneath it', async () => {
    const taken = await heard.take({ told: [told('pulled', { name: 'index', tag: 'latest' })] });

    expect(taken).toEqual({ repeated: 0, dropped: 0 });
    expect(await heard.placed('index')).toMatchObject({ lastPulledAt: expect.any(Date) });
    expect(await heard.placed('image')).toMatchObject({ lastPulledAt: null });
    expect(await heard.references()).toEqual([]);
  });

  it('changes nothing when it is told again', async () => {
    const event = told('pulled', { name: 'index' });
    const push = told('pushed', { name: 'image', tag: 'new' });
    await heard.take({ told: [event, event, push] });
    await heard.tables.$executeRaw`DELETE FROM notification_hint`;
    await heard.tables.$executeRaw`UPDATE placement SET last_pulled_at = '2026-01-01T00:00:00Z'`;

    expect(await heard.take({ told: [event, push] })).toEqual({ repeated: 2, dropped: 0 });
    expect(await heard.placed('index')).toMatchObject({ lastPulledAt: new Date('2026-01-01T00:00:00Z') });
    expect(await heard.references()).toEqual([]);
  });

  it('never makes a pull older', async () => {
    const future = new Date(Date.now() + 3_600_000);
    await heard.tables.$executeRaw`UPDATE placement SET last_pulled_at = ${future}`;

    await heard.take({ told: [told('pulled', { name: 'index' })] });

    expect(await heard.placed('index')).toMatchObject({ lastPulledAt: future });
  });

  it('of what is not known to be there is to be asked about', async () => {
    await heard.take({ told: [told('pulled', { name: 'stranger', tag: 'latest' }), told('deleted', { tag: 'old' })] });

    expect(await heard.references()).toEqual([`old deleted`, `${named('stranger')} pulled`]);
  });

  it('waits for nobody who writes of the same place', async () => {
    await heard.scene.database.transaction(async (tables) => {
      await tables.$executeRaw`SELECT 1 FROM placement FOR UPDATE`;
      await heard.take({ told: [told('pulled', { name: 'index' })] });
    });

    expect(await heard.references()).toEqual([`${named('index')} pulled`]);
  });

  it('of a tag again and again is asked about once, and again when it was told meanwhile', async () => {
    await heard.take({ told: [told('pushed', { name: 'image', tag: 'latest' })] });
    await heard.take({ told: [told('pushed', { name: 'index', tag: 'latest' }), told('deleted', { name: 'image' })] });

    expect(await heard.references()).toEqual(['latest pushed', `${named('image')} pushed deleted`, `${named('index')} pushed`].sort());
    await heard.later(2_000);
    const claimed = await heard.hints.claim(['eu']);
    expect(claimed).toMatchObject({ registry: { name: 'ci' }, repository: app });
    expect(claimed?.hints).toHaveLength(3);
    expect(await heard.hints.claim('all')).toBeUndefined();

    await heard.take({ told: [told('pushed', { name: 'image', tag: 'latest' })] });
    const look = await heard.hints.beginLook(claimed!);
    await heard.hints.settle(claimed!, look, {
      tags: new Map(look.tags.map((tag) => [tag, named('index')])),
      digests: new Map([
        [named('image'), false],
        [named('index'), true],
      ]),
    });

    expect(await heard.references()).toEqual(['latest pushed', `${named('image')} pushed deleted`].sort());
    expect((await heard.hints.claim('all'))?.hints).toHaveLength(2);
  });

  it('is left to crawls where too much is to be asked about already, and a pull is a gap then', async () => {
    const intake = heard.intake({ maxHints: 2 });
    await intake.take([heard.delivery({ told: [told('pushed', { name: 'a' }), told('pushed', { name: 'b' })] })]);
    const gaps = async (): Promise<string[]> => (await heard.feeds.states()).map(({ gapReason }) => gapReason);

    expect(await intake.take([heard.delivery({ told: [told('pushed', { name: 'c' })] })])).toMatchObject({ dropped: 1 });
    expect(await gaps()).toEqual(['begun', 'begun']);
    expect(await intake.take([heard.delivery({ told: [told('pulled', { name: 'd' })] })])).toMatchObject({ dropped: 1 });
    expect(await gaps()).toEqual(['overflow', 'begun']);
    expect(await heard.references()).toEqual([`${named('a')} pushed`, `${named('b')} pushed`].sort());
  });

  it('is known again for a day', async () => {
    await heard.take({ told: [told('pushed', { name: 'a' }), told('pushed', { name: 'b' })] });
    await heard.tables
      .$executeRaw`UPDATE notification_event SET heard_at = now() - interval '25 hours' WHERE id = (SELECT min(id) FROM notification_event)`;

    expect(await heard.intake().purge()).toBe(1);
    expect(await heard.intake().purge()).toBe(0);
  });
});
