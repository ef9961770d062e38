import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ContentError, type Digest, digestFromBytes, digestToBytes, type Manifest, type Tag } from '@waybill/oci-model';
import { closeRun } from '../run/close-run.js';
import { image, manifestNamed, MemoryCopier, type OpenRun, Scene, topology } from '../scene.spec-helper.js';
import { type OpenEffect, OpenEffects } from './open-effects.js';

const noBytes = { bytesCopied: 0, bytesMounted: 0, bytesSkipped: 0 };
const previous = manifestNamed('what was there before').digest;
const foreign = manifestNamed('somebody else’s image').digest;
const error = new ContentError('the registry does not answer', { code: 'unreachable', operation: 'test' });

describe('OpenEffects', () => {
  let scene: Scene;
  let effects: OpenEffects;
  let id: string;
  let run: OpenRun;
  let tags = 0;
  let tag: Tag;

  beforeAll(async () => {
    scene = await Scene.start();
    effects = new OpenEffects(scene.database);
  });
  afterAll(() => scene.close());

  beforeEach(async () => {
    tags += 1;
    tag = `1.0.${tags}` as Tag;
    id = await scene.request({ targets: ['prod'], tags: [tag] });
    run = await scene.open(await scene.messageOf(id));
  });

  const execute = (sql: string, ...values: readonly unknown[]) => scene.database.tables.$executeRawUnsafe(sql, ...values);
  const endTagLeases = () =>
    execute(`UPDATE tag_order SET lease_expires_at = now() - interval '1 second' WHERE lease_expires_at IS NOT NULL`);
  const rows = () =>
    scene.database.tables.effect.findMany({ where: { promotionId: id }, include: { record: true }, orderBy: { kind: 'asc' } });

  /** The target ends, with a manifest and a tag that nobody could read back. */
  async function endOpen(): Promise<void> {
    const { journal, target, lease } = run;
    await journal.beginAttempt([target]);
    await journal.intendManifest(target, image);
    await journal.acquireTag(target, tag);
    await journal.intendTag(target, tag, image.digest, previous);
    await journal.finish(target, { ...noBytes, outcome: 'failed', error });
    await closeRun(scene.database, lease);
  }

  async function claimAll(): Promise<OpenEffect[]> {
    await endTagLeases();
    return await effects.claim('all');
  }

  it('claims what is open at ended targets, with what it takes to read it', async () => {
    await endOpen();

    const claimed = await claimAll();

    const where = { promotionId: id, itemTargetId: run.target.id, registry: 'prod', repository: run.target.repository };
    expect(claimed).toEqual([
      expect.objectContaining({ ...where, digest: image.digest }),
      expect.objectContaining({ ...where, digest: image.digest, tag }),
    ]);
    expect(claimed[0]).not.toHaveProperty('tag');
  });

  it('claims nothing of a run that holds its lease', async () => {
    const { journal, target } = run;
    await journal.beginAttempt([target]);
    await journal.intendManifest(target, image);
    expect(await effects.claim('all')).toEqual([]);
    await journal.finish(target, { ...noBytes, outcome: 'failed', error });
    expect(await effects.claim('all')).toEqual([]);

    await execute(`UPDATE dispatch SET lease_expires_at = now() - interval '1 second' WHERE promotion_id = $1::uuid`, id);

    expect(await effects.claim('all')).toHaveLength(1);
  });

  it('claims nothing of a target that is to be tried again', async () => {
    const { journal, target, lease } = run;
    await journal.beginAttempt([target]);
    await journal.intendManifest(target, image);
    await journal.retryLater(target, error, 3_600_000, noBytes);
    await closeRun(scene.database, lease);

    expect(await effects.claim('all')).toEqual([]);
  });

  it('claims no tag whose lease holds still: the write may land', async () => {
    await endOpen();

    const claimed = await effects.claim('all');

    expect(claimed.map((effect) => effect.tag)).toEqual([undefined]);
    expect((await claimAll()).map((effect) => effect.tag)).toEqual([tag]);
  });

  it('claims at the locations asked for', async () => {
    await endOpen();
    await endTagLeases();

    expect(await effects.claim(['us'])).toEqual([]);
    expect(await effects.claim(['us', 'eu'])).toHaveLength(2);
  });

  it('gives each effect to one of several that ask at once, and again later, each time later', async () => {
    await endOpen();
    await endTagLeases();

    const claims = await Promise.all([1, 2, 3].map(() => new OpenEffects(scene.database).claim('all')));
    expect(
      claims
        .flat()
        .map((effect) => effect.id)
        .sort(),
    ).toEqual((await rows()).map((row) => row.id).sort());

    const waits: number[] = [];
    for (let time = 0; time < 3; time += 1) {
      const [row] = await scene.database.tables.$queryRaw<{ wait: number }[]>`
        SELECT round(extract(epoch FROM read_due_at - now()) / 10)::int * 10 AS wait FROM effect WHERE promotion_id = ${id}::uuid LIMIT 1`;
      waits.push(row?.wait ?? 0);
      await execute(`UPDATE effect SET read_due_at = now() WHERE promotion_id = $1::uuid`, id);
      await effects.claim('all');
    }
    expect(waits).toEqual([30, 60, 120]);
  });

  it.each<[string, Digest | undefined, string, string | null]>([
    ['ours', image.digest, 'written', 'written'],
    ['what was there before', previous, 'not-written', null],
    ['something else', foreign, 'overwritten', null],
    ['nothing', undefined, 'overwritten', null],
  ])('settles a tag that names %s, once and with one record, however many settle it', async (_name, found, outcome, tagOutcome) => {
    await endOpen();
    const ofTag = (await claimAll()).find((effect) => effect.tag === tag);
    if (ofTag === undefined) throw new Error('the tag was not claimed');

    const settled = await Promise.all([1, 2].map(() => effects.settle(ofTag, [{ effectId: ofTag.id, found }])));

    expect(settled.sort()).toEqual([0, 1]);
    const row = (await rows()).find(({ kind }) => kind === 'tag');
    expect(row).toMatchObject({ state: 'settled', outcome, record: { kind: 'effect' } });
    expect(row?.observedDigest).toEqual(found === undefined ? null : digestToBytes(found));
    const [target] = (await scene.promotion(id)).items.flatMap((item) => item.targets);
    expect(target?.tags[0]?.outcome).toBe(tagOutcome);
    expect(target).toMatchObject({ state: 'done', outcome: 'failed' });
    const order = await scene.database.tables.tagOrder.findFirstOrThrow({ where: { tag } });
    expect(order.writtenTicket).toBe(outcome === 'written' ? order.lastTicket : 0n);
    expect(await effects.claim('all')).toEqual([]);
  });

  it.each([
    ['there', image.digest, 'written'],
    ['absent', undefined, 'not-written'],
  ])('settles a manifest that is %s', async (_name, found, outcome) => {
    await endOpen();
    const ofManifest = (await claimAll()).find((effect) => effect.tag === undefined);
    if (ofManifest === undefined) throw new Error('the manifest was not claimed');

    await effects.settle(ofManifest, [{ effectId: ofManifest.id, found }]);

    expect((await rows()).find(({ kind }) => kind === 'manifest')).toMatchObject({ outcome, record: { kind: 'effect' } });
  });

  describe('of a release that a newer one has overtaken', () => {
    const eventsOf = async () => {
      const events = await scene.database.tables.tagEvent.findMany({ where: { tag }, include: { effect: true }, orderBy: { id: 'asc' } });
      return events.map(({ digest, effect }) => [digest === null ? null : digestFromBytes(digest), effect?.promotionId]);
    };

    /** The older release is left open; a newer one brings `manifest` and has noted it. Gives the older one's effect and the newer's id. */
    async function overtakenBy(manifest: Manifest): Promise<{ readonly ofTag: OpenEffect; readonly newer: string }> {
      await endOpen();
      await endTagLeases();
      const newer = await scene.request({ targets: ['prod'], tags: [tag], manifest });
      await scene.run(await scene.messageOf(newer), new MemoryCopier(manifest));
      const ofTag = (await claimAll()).find((effect) => effect.tag === tag);
      if (ofTag === undefined) throw new Error('the tag was not claimed');
      return { ofTag, newer };
    }

    it('adds no event after the newer one’s where both brought the same image', async () => {
      const { ofTag, newer } = await overtakenBy(image);

      await effects.settle(ofTag, [{ effectId: ofTag.id, found: image.digest }]);

      expect(await eventsOf()).toEqual([[image.digest, newer]]);
      expect((await rows()).find(({ kind }) => kind === 'tag')).toMatchObject({ outcome: 'written', record: { kind: 'effect' } });
    });

    it('adds one where the tag was found to have come back', async () => {
      const other = manifestNamed('the newer image');
      const { ofTag, newer } = await overtakenBy(other);

      await effects.settle(ofTag, [{ effectId: ofTag.id, found: image.digest }]);

      expect(await eventsOf()).toEqual([
        [other.digest, newer],
        [image.digest, id],
      ]);
    });

    it('leaves to one that is open what that may have brought', async () => {
      const other = manifestNamed('the newer image');
      const { ofTag, newer } = await overtakenBy(other);
      const newest = await scene.request({ targets: ['prod'], tags: [tag] });
      const { journal, target } = await scene.open(await scene.messageOf(newest));
      await journal.beginAttempt([target]);
      await journal.acquireTag(target, tag);
      await journal.intendTag(target, tag, image.digest, other.digest);

      await effects.settle(ofTag, [{ effectId: ofTag.id, found: image.digest }]);
      expect(await eventsOf()).toEqual([[other.digest, newer]]);
      await journal.settleTag(target, tag, image.digest, { outcome: 'written' });

      expect(await eventsOf()).toEqual([
        [other.digest, newer],
        [image.digest, newest],
      ]);
    });
  });

  it('settles nothing of a target that was taken up again meanwhile', async () => {
    await endOpen();
    const [effect] = await claimAll();
    if (effect === undefined) throw new Error('nothing was claimed');
    await execute(`UPDATE item_target SET state = 'pending', outcome = NULL WHERE id = $1::uuid`, run.target.id);

    expect(await effects.settle(effect, [{ effectId: effect.id, found: image.digest }])).toBe(0);

    expect((await rows()).map(({ state }) => state)).toEqual(['intended', 'intended']);
    await execute(`UPDATE item_target SET state = 'done', outcome = 'failed' WHERE id = $1::uuid`, run.target.id);
  });

  it('settles nothing from what was read before another attempt that has ended too', async () => {
    await endOpen();
    const [effect] = await claimAll();
    if (effect === undefined) throw new Error('nothing was claimed');
    await execute(
      `UPDATE item_target SET finished_at = finished_at + interval '1 millisecond' WHERE promotion_id = $1::uuid AND state = 'done'`,
      id,
    );

    expect(await effects.settle(effect, [{ effectId: effect.id, found: undefined }])).toBe(0);

    expect((await rows()).map(({ state }) => state)).toEqual(['intended', 'intended']);
  });

  // Last: the topology stays changed.
  it('settles what is open at a replaced registry as unknown, once and with records that say why, and claims it no more', async () => {
    await endOpen();
    expect(await effects.settleUnreadable()).toBe(0);
    const { prod } = topology.registries;
    if (prod === undefined) throw new Error('the topology has no prod');
    const { local: _, ...elsewhere } = prod;
    await scene.apply({
      ...topology,
      registries: { ...topology.registries, prod: { ...elsewhere, url: 'https://elsewhere.example.com' } },
    });

    expect(await claimAll()).toEqual([]);
    const open = await scene.database.tables.effect.count({ where: { state: 'intended', itemTarget: { state: 'done' } } });
    const settled = await Promise.all([1, 2].map(() => effects.settleUnreadable()));
    expect(settled.reduce((sum, count) => sum + count, 0)).toBe(open);

    const reason = 'the registry was replaced: nobody can read what became of it';
    expect(await rows()).toEqual([
      expect.objectContaining({ kind: 'manifest', state: 'settled', outcome: 'unknown', observedDigest: null }),
      expect.objectContaining({ kind: 'tag', state: 'settled', outcome: 'unknown', observedDigest: null }),
    ]);
    expect((await rows()).map(({ record }) => record?.body)).toEqual([
      expect.objectContaining({ effect: 'manifest', outcome: 'unknown', reason }),
      expect.objectContaining({ effect: 'tag', outcome: 'unknown', reason }),
    ]);
  });
});
