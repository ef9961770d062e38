import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { uuidV7 } from '@waybill/kernel';
import { digestOf, type Tag } from '@waybill/oci-model';
import { manifestNamed, Scene } from '../scene.spec-helper.js';
import type { PromotionFilter } from './promotion-filter.js';
import { PromotionReadModel } from './promotion.read-model.js';

const [one, other] = [manifestNamed('one'), manifestNamed('other')];

describe('a list of promotions', () => {
  let scene: Scene;
  let promotions: PromotionReadModel;
  /** In the order of their making. */
  const ids: string[] = [];
  const times: Date[] = [];

  beforeAll(async () => {
    scene = await Scene.start();
    promotions = new PromotionReadModel(scene.database);
    for (const asked of [
      { manifest: one },
      { manifest: other },
      { manifest: one, tags: ['2.0.0'] as Tag[] },
      { manifest: other, tags: ['2.0.0', 'latest'] as Tag[] },
    ]) {
      ids.push(await scene.request(asked));
    }
    // One that brings both, and one along another path that failed.
    ids.push(await scene.request({ manifest: one, tags: ['3.0.0'] as Tag[] }, { manifest: other, tags: ['4.0.0'] as Tag[] }));
    ids.push(await scene.request({ manifest: one, tags: ['5.0.0'] as Tag[] }));
    await scene.database.tables.promotion.update({ where: { id: ids[5]! }, data: { path: 'keep', state: 'failed' } });
    for (const id of ids) times.push((await scene.database.tables.promotion.findUniqueOrThrow({ where: { id } })).requestedAt);
  });
  afterAll(async () => {
    await scene.close();
  });

  /** Places in `ids` of what a filter finds, newest first, read in pages of `limit`. */
  async function found(filter: PromotionFilter, limit = 50): Promise<number[]> {
    const places: number[] = [];
    let before: string | undefined;
    for (;;) {
      const page = await promotions.list({ limit, ...(before === undefined ? {} : { before }) }, filter);
      places.push(...page.flatMap(({ id, summary }) => (summary === undefined ? [] : [ids.indexOf(id)])));
      before = page.at(-1)?.id;
      if (page.length < limit) return places;
    }
  }

  const everything = [5, 4, 3, 2, 1, 0];
  it.each<[string, () => PromotionFilter, number[]]>([
    ['nothing', () => ({}), everything],
    ['a state', () => ({ state: 'requested' }), [4, 3, 2, 1, 0]],
    ['a path', () => ({ path: 'keep' }), [5]],
    ['a digest', () => ({ digest: one.digest }), [5, 4, 2, 0]],
    ['a digest that nobody promoted', () => ({ digest: digestOf(Buffer.from('nothing')) }), []],
    ['a repository', () => ({ repository: 'team-a/app' }), everything],
    ['a repository that none names', () => ({ repository: 'team-a' }), []],
    ['a tag that is written', () => ({ tag: 'latest' }), [3]],
    ['a tag that the source has', () => ({ tag: '1.0.0' }), everything],
    ['a principal', () => ({ requestedBy: scene.principalId }), everything],
    ['another principal', () => ({ requestedBy: uuidV7.next() }), []],
    ['a state and a path', () => ({ state: 'requested', path: 'keep' }), []],
    ['a state and a path that go together', () => ({ state: 'failed', path: 'keep' }), [5]],
    ['a digest and a tag', () => ({ digest: other.digest, tag: '2.0.0' }), [3]],
    ['a digest and a state', () => ({ digest: one.digest, state: 'requested' }), [4, 2, 0]],
    ['a principal, a state and a repository', () => ({ requestedBy: scene.principalId, state: 'failed', repository: 'team-a/app' }), [5]],
    ['all at once', () => ({ ...whole(), path: 'release', state: 'requested', digest: one.digest, tag: '2.0.0' }), [2]],
  ])('finds by %s, page after page alike', async (_what, filter, expected) => {
    expect(await found(filter())).toEqual(expected);
    expect(await found(filter(), 1)).toEqual(expected);
    expect(await found(filter(), 2)).toEqual(expected);
  });

  function whole(): PromotionFilter {
    const requestedBefore = new Date((times[5]?.getTime() ?? 0) + 1);
    return { requestedBy: scene.principalId, repository: 'team-a/app', requestedBefore, ...(times[0] && { requestedAfter: times[0] }) };
  }

  describe('by time', () => {
    beforeAll(async () => {
      // Half an hour before their ids were made: the clock of the process was wrong by that much.
      const start = Date.now() - 30 * 60_000;
      for (const [place, id] of ids.entries()) {
        const requestedAt = new Date(start + place * 60_000);
        await scene.database.tables.promotion.update({ where: { id }, data: { requestedAt } });
        times[place] = requestedAt;
      }
    });

    it.each<[string, () => PromotionFilter, number[]]>([
      ['from a moment on, that moment included', () => ({ requestedAfter: times[2]! }), [5, 4, 3, 2]],
      ['before a moment, that moment left out', () => ({ requestedBefore: times[2]! }), [1, 0]],
      ['between two', () => ({ requestedAfter: times[1]!, requestedBefore: times[4]! }), [3, 2, 1]],
      ['between two that stand the wrong way round', () => ({ requestedAfter: times[4]!, requestedBefore: times[1]! }), []],
      ['between two, with a digest', () => ({ requestedAfter: times[1]!, requestedBefore: times[5]!, digest: one.digest }), [4, 2]],
      ['before anything was', () => ({ requestedBefore: new Date(0) }), []],
      ['after everything', () => ({ requestedAfter: new Date(Date.UTC(9999, 0)) }), []],
    ])('finds %s', async (_what, filter, expected) => {
      expect(await found(filter())).toEqual(expected);
      expect(await found(filter(), 1)).toEqual(expected);
    });
  });

  it('reads no more of a page than it was asked for, whatever the filter leaves of it', async () => {
    const page = await promotions.list({ limit: 3 }, { digest: one.digest, tag: '2.0.0' });

    expect(page).toHaveLength(3);
    expect(page.filter(({ summary }) => summary !== undefined)).toHaveLength(1);
  });
});
