import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Tag } from '@waybill/oci-model';
import { named, seedRepository } from '../retention/inventory-rows.spec-helper.js';
import { app, HeardScene, told } from './heard-scene.spec-helper.js';
import type { ClaimedHints, FoundReferences } from './notification-hints.js';
import type { Told } from './told.js';

const latest = 'latest' as Tag;

describe('what a registry was asked about', () => {
  let heard: HeardScene;

  beforeAll(async () => {
    heard = await HeardScene.start();
  });
  afterAll(() => heard.scene.close());
  beforeEach(async () => {
    await heard.begin();
    await heard.tables.$executeRaw`TRUNCATE tag_event, tag, repository CASCADE`;
    await heard.tables.$executeRaw`TRUNCATE placement`;
    await seedRepository(heard.scene.database, {
      registryId: heard.ci,
      repository: app,
      manifests: { image: {}, index: { children: ['image'] } },
      tags: { latest: 'index', stable: 'index' },
    });
  });

  async function claim(...what: readonly Told[]): Promise<ClaimedHints> {
    await heard.take({ told: what });
    await heard.later(2_000);
    const claimed = await heard.hints.claim('all');
    if (claimed === undefined) throw new Error('nothing is due');
    return claimed;
  }

  async function ask(claimed: ClaimedHints, found: Partial<FoundReferences>): Promise<void> {
    const look = await heard.hints.beginLook(claimed);
    await heard.hints.settle(claimed, look, { tags: new Map(), digests: new Map(), ...found });
  }

  async function tags(): Promise<Record<string, string>> {
    const rows = await heard.tables.$queryRaw<{ name: string; digest: string; source: string }[]>`
      SELECT name, digest_text(digest) AS digest, tagged_at_source AS source FROM tag WHERE gone_at IS NULL ORDER BY name`;
    return Object.fromEntries(rows.map(({ name, digest, source }) => [name, `${digest} ${source}`]));
  }

  it('moves a tag and says when it was pushed', async () => {
    await ask(await claim(told('pushed', { name: 'image', tag: 'latest' })), {
      tags: new Map([[latest, named('image')]]),
      digests: new Map([[named('image'), true]]),
    });

    expect(await tags()).toEqual({ latest: `${named('image')} notification`, stable: `${named('index')} effect` });
    expect(await heard.placed('image')).toMatchObject({ pushedAt: expect.any(Date), pushedAtSource: 'notification' });
    expect(await heard.placed('index')).toMatchObject({ pushedAt: null });
    expect(await heard.references()).toEqual([]);
    expect(await heard.tables.tagEvent.findFirst({ where: { source: 'notification' } })).toMatchObject({ tag: 'latest' });
  });

  it('writes no event of a tag that names what it named', async () => {
    await ask(await claim(told('pushed', { name: 'index', tag: 'latest' })), { tags: new Map([[latest, named('index')]]) });

    expect(await heard.tables.tagEvent.count({ where: { source: 'notification' } })).toBe(0);
    expect(await heard.placed('index')).toMatchObject({ pushedAtSource: 'notification' });
  });

  it('says nothing of a tag that changed while it was asked about', async () => {
    const claimed = await claim(told('pushed', { name: 'image', tag: 'latest' }));
    const look = await heard.hints.beginLook(claimed);
    await heard.tables.$executeRaw`
      INSERT INTO tag_event (registry_id, repository, tag, digest, observed_at)
      VALUES (${heard.ci}::uuid, ${app}, 'latest', decode(${named('index').slice(7)}, 'hex'), clock_timestamp())`;
    await heard.hints.settle(claimed, look, { tags: new Map([[latest, named('image')]]), digests: new Map() });

    expect((await tags())['latest']).toBe(`${named('index')} effect`);
  });

  it('is gone where that was told and is so, with the tags that named it', async () => {
    const claimed = await claim(told('deleted', { name: 'index' }));
    const look = await heard.hints.beginLook(claimed);
    expect([...look.tags].sort()).toEqual(['latest', 'stable']);
    expect(look.deleted).toEqual(new Set([named('index')]));

    await heard.hints.settle(claimed, look, {
      tags: new Map([
        [latest, undefined],
        ['stable' as Tag, named('image')],
      ]),
      digests: new Map([[named('index'), false]]),
    });

    expect(await tags()).toEqual({ stable: `${named('image')} notification` });
    expect(await heard.placed('index')).toBeNull();
  });

  it('stays where it is not found and nobody said that it was deleted', async () => {
    await ask(await claim(told('pushed', { name: 'index', tag: 'latest' })), {
      tags: new Map([[latest, undefined]]),
      digests: new Map([[named('index'), false]]),
    });

    expect(Object.keys(await tags())).toEqual(['latest', 'stable']);
    expect(await heard.placed('index')).not.toBeNull();
    expect(await heard.references()).toEqual([]);
  });

  it('stays where it was deleted and is there again', async () => {
    await ask(await claim(told('deleted', { name: 'index' }), told('deleted', { tag: 'latest' })), {
      tags: new Map([[latest, named('index')]]),
      digests: new Map([[named('index'), true]]),
    });

    expect(await heard.placed('index')).not.toBeNull();
    expect(Object.keys(await tags())).toEqual(['latest', 'stable']);
  });

  it('was pulled when it was told, as soon as it is known to be there', async () => {
    const claimed = await claim(told('pulled', { name: 'stranger' }));
    await seedRepository(heard.scene.database, { registryId: heard.ci, repository: 'elsewhere', manifests: { stranger: {} } });
    await heard.tables.$executeRaw`UPDATE placement SET repository = ${app} WHERE repository = 'elsewhere'`;
    await ask(claimed, { digests: new Map([[named('stranger'), true]]) });

    expect(await heard.placed('stranger')).toMatchObject({ lastPulledAt: claimed.hints[0]?.pulledAt });
  });

  it('is tried again later when it could not be asked about, and given up in the end', async () => {
    const claimed = await claim(told('pushed', { name: 'image', tag: 'latest' }), told('pulled', { name: 'stranger' }));
    await heard.hints.putOff(claimed);
    expect(await heard.hints.claim('all')).toBeUndefined();
    await heard.later(5_000);
    const again = await heard.hints.claim('all');
    expect(again?.hints.map(({ attempts }) => attempts)).toEqual([2, 2, 2]);

    await heard.tables.$executeRaw`UPDATE notification_hint SET attempts = 9, due_at = now()`;
    const last = await heard.hints.claim('all');
    await heard.hints.putOff(last!);

    expect(await heard.references()).toEqual([]);
    expect((await heard.feeds.states())[0]).toMatchObject({ registry: 'ci', gapReason: 'overflow' });
  });

  it('is another worker’s when the first one is silent, whose answer then ends nothing', async () => {
    const claimed = await claim(told('pushed', { name: 'index', tag: 'latest' }));
    await heard.later(60_000);
    const taken = await heard.hints.claim('all');
    expect(taken?.hints).toHaveLength(2);

    await ask(claimed, { tags: new Map([[latest, named('index')]]), digests: new Map([[named('index'), true]]) });
    await heard.hints.putOff(claimed);

    expect(await heard.references()).toHaveLength(2);
    expect(await heard.hints.claim('all')).toBeUndefined();
  });

  it('is asked where the registry stands', async () => {
    await heard.take({ told: [told('pushed', { name: 'index' })] });
    await heard.later(2_000);

    expect(await heard.hints.claim(['us'])).toBeUndefined();
    expect(await heard.hints.claim(['us', 'eu'])).toBeDefined();
  });
});
