import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { verifyChain } from '@waybill/provenance';
import { ProvenanceChain } from '../provenance/provenance-chain.js';
import { image, MemoryCopier, Scene } from '../scene.spec-helper.js';

describe('a promotion in the tables', () => {
  let scene: Scene;
  const statements: string[] = [];

  beforeAll(async () => {
    scene = await Scene.start({ onStatement: (statement) => void statements.push(statement) });
  });

  afterAll(() => scene.close());

  it('goes from request to succeeded, the replica after its prod', async () => {
    const copier = new MemoryCopier();
    const id = await scene.request();
    expect((await scene.promotion(id)).state).toBe('requested');
    const [eu, us] = await scene.takeMessages();
    if (eu === undefined || us === undefined) throw new Error('two messages were expected');

    await scene.run(us, copier);
    expect((await scene.promotion(id)).state).toBe('running');
    expect([...copier.tags]).toEqual([]);
    await scene.run(eu, copier);
    expect((await scene.promotion(id)).state).toBe('succeeded');
    const [woken, ...more] = await scene.takeMessages();
    expect(more).toEqual([]);
    expect(woken).toEqual({ promotionId: id, location: 'us', dispatch: 2 });
    if (woken !== undefined) await scene.run(woken, copier);

    const targets = (await scene.promotion(id)).items.flatMap((item) => item.targets);
    expect(targets.map(({ state, outcome, attempts }) => [state, outcome, attempts])).toEqual([
      ['done', 'copied', 1],
      ['done', 'copied', 1],
    ]);
    expect(copier.tags.get('prod-us:1.0.0')).toBe(image.digest);
    const chain = new ProvenanceChain(scene.database);
    while ((await chain.linkPending()) > 0);
    const links = await chain.links({ after: 0n, limit: 100 });
    const bodies = links.map(({ record }) => record.body as { effect?: string; decision?: string });
    expect(bodies.map(({ effect, decision }) => effect ?? decision)).toEqual([
      'requested',
      'manifest',
      'manifest',
      'tag',
      'target-ended',
      'promotion-ended',
      'tag',
      'target-ended',
    ]);
    expect(verifyChain(links.flatMap(({ record, link }) => (link === undefined ? [] : [{ record, link }])))).toEqual({
      intact: true,
      links: 8,
    });
  });

  it('takes a bounded number of statements for three targets at one location', async () => {
    statements.length = 0;
    const id = await scene.request({ targets: ['prod', 'prod-b', 'prod-c'] });
    await scene.run(await scene.messageOf(id), new MemoryCopier());
    const count = statements.length;

    expect((await scene.promotion(id)).state).toBe('succeeded');
    expect(count).toBeLessThanOrEqual(69);
  });
});
