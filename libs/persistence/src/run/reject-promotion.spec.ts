import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ContentError } from '@waybill/oci-model';
import { image, MemoryCopier, Scene, topology } from '../scene.spec-helper.js';

const withoutPath = { ...topology, paths: {} };

describe('a promotion whose path was removed', () => {
  let scene: Scene;

  beforeEach(async () => {
    scene = await Scene.start();
  });

  afterEach(() => scene.close());

  const targetsOf = async (id: string) => (await scene.promotion(id)).items.flatMap((item) => item.targets);

  it('is rejected when its run begins, with the reason on record, and nothing is sent', async () => {
    const id = await scene.request();
    const messages = await scene.takeMessages();
    await scene.apply(withoutPath);
    const copier = new MemoryCopier();

    for (const message of messages.slice(0, 1)) await scene.run(message, copier);

    expect(copier.manifests.size + copier.tags.size).toBe(0);
    const promotion = await scene.promotion(id);
    expect(promotion).toMatchObject({ state: 'rejected', rejection: { code: 'path-removed' }, finishedAt: expect.any(Date) });
    expect((await targetsOf(id)).map(({ state, outcome, error }) => [state, outcome, error])).toEqual([
      ['done', 'cancelled', promotion.rejection],
      ['done', 'cancelled', promotion.rejection],
    ]);
    const records = await scene.database.tables.provenanceRecord.findMany({ where: { promotionId: id }, orderBy: { id: 'asc' } });
    expect(records.map(({ body }) => body)).toEqual([
      expect.objectContaining({ decision: 'requested' }),
      expect.objectContaining({ decision: 'target-ended', outcome: 'cancelled' }),
      expect.objectContaining({ decision: 'target-ended', outcome: 'cancelled' }),
      { decision: 'promotion-ended', state: 'rejected', reason: 'path release was removed from the topology before anything was tagged' },
    ]);
    await expect(Promise.all(messages.slice(1).map((message) => scene.run(message, copier)))).rejects.toThrow(
      'the dispatch is not to be had',
    );
    expect((await scene.database.tables.dispatch.findMany({ where: { promotionId: id } })).map(({ state }) => state)).toEqual([
      'finished',
      'finished',
    ]);
  });

  it('is rejected after a copy that failed, and what that left is settled', async () => {
    const id = await scene.request({ targets: ['prod'] });
    const copier = new MemoryCopier();
    copier.verify = () => Promise.reject(new ContentError('down', { code: 'unreachable', operation: 'test', retryable: true }));
    await scene.run(await scene.messageOf(id), copier);
    await scene.apply(withoutPath);
    await scene.database.tables.$executeRaw`UPDATE item_target SET due_at = now()`;
    await scene.database.tables.$executeRaw`UPDATE dispatch SET number = 2, due_at = now()`;

    await scene.run({ promotionId: id, location: 'eu', dispatch: 2 }, copier);

    expect((await scene.promotion(id)).state).toBe('rejected');
    expect(await scene.database.tables.effect.findMany()).toEqual([
      expect.objectContaining({ kind: 'manifest', state: 'settled', outcome: 'written' }),
    ]);
  });

  it('stays failed when it had failed before, and what was left of it ends', async () => {
    const id = await scene.request();
    const refusing = new MemoryCopier();
    refusing.verify = () => Promise.reject(new ContentError('denied', { code: 'denied', operation: 'test' }));
    await scene.run(await scene.messageOf(id), refusing);
    const { state, finishedAt } = await scene.promotion(id);
    expect(state).toBe('failed');
    await scene.apply(withoutPath);

    await scene.run(await scene.messageOf(id, 'us'), refusing);

    expect(await scene.promotion(id)).toMatchObject({ state: 'failed', rejection: null, finishedAt });
    expect((await targetsOf(id)).map(({ outcome, error }) => [outcome, (error as { code: string }).code])).toEqual([
      ['failed', 'denied'],
      ['cancelled', 'path-removed'],
    ]);
  });

  it('takes the lease from the runs at other locations', async () => {
    const id = await scene.request();
    const [eu, us] = await scene.takeMessages();
    if (eu === undefined || us === undefined) throw new Error('two messages were expected');
    const elsewhere = await scene.open(us, 'us');
    await elsewhere.journal.beginAttempt([elsewhere.target]);
    await scene.apply(withoutPath);

    await scene.run(eu, new MemoryCopier());

    expect((await scene.promotion(id)).state).toBe('rejected');
    await expect(elsewhere.journal.intendManifest(elsewhere.target, image)).rejects.toMatchObject({ code: 'lease-lost' });
  });

  it('goes on as it was pinned when something of it was tagged already', async () => {
    const id = await scene.request();
    const copier = new MemoryCopier();
    await scene.run(await scene.messageOf(id), copier);
    await scene.apply(withoutPath);

    await scene.run(await scene.messageOf(id, 'us'), copier);

    expect(await scene.promotion(id)).toMatchObject({ state: 'succeeded', rejection: null });
    expect((await targetsOf(id)).map(({ outcome }) => outcome)).toEqual(['copied', 'copied']);
  });

  it('goes on when a tag was perhaps written', async () => {
    const id = await scene.request({ targets: ['prod'] });
    const message = await scene.messageOf(id);
    const { journal, target, item } = await scene.open(message);
    await journal.beginAttempt([target]);
    const [tag] = target.tags;
    if (tag === undefined) throw new Error('no tag');
    await journal.acquireTag(target, tag.tag);
    await journal.intendTag(target, tag.tag, item.digest, undefined);
    await scene.apply(withoutPath);
    await scene.database.tables.$executeRaw`UPDATE dispatch SET state = 'queued'`;
    await scene.database.tables.$executeRaw`UPDATE tag_order SET lease_expires_at = now()`;

    await scene.run(message, new MemoryCopier());

    expect((await scene.promotion(id)).state).toBe('succeeded');
  });

  it('goes on when the path is back before the run begins', async () => {
    const id = await scene.request({ targets: ['prod'] });
    await scene.apply(withoutPath);
    await scene.apply(topology);

    await scene.run(await scene.messageOf(id), new MemoryCopier());

    expect((await scene.promotion(id)).state).toBe('succeeded');
  });
});
