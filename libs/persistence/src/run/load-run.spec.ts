import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { uuidV7 } from '@waybill/kernel';
import type { Tag } from '@waybill/oci-model';
import { registryNamed, type Topology } from '@waybill/topology';
import { image, manifestNamed, MemoryCopier, oneTag, repository, Scene, topology } from '../scene.spec-helper.js';
import { TopologyRevisions } from '../topology/topology-revisions.js';
import { loadRun } from './load-run.js';

function at(name: 'ci' | 'prod', url: string): Topology {
  const { local: _, ...registry } = topology.registries[name] ?? {};
  return { ...topology, registries: { ...topology.registries, [name]: { ...registry, url } as Topology['registries'][string] } };
}

describe('loadRun', () => {
  let scene: Scene;

  beforeEach(async () => {
    scene = await Scene.start();
  });

  afterEach(() => scene.close());

  it('gives what is to be done at a location, items in their order, under the pinned topology', async () => {
    const latest = 'latest' as Tag;
    const other = manifestNamed('the other image');
    const id = await scene.request(
      { targets: ['prod', 'prod-us', 'prod-b'], tags: [oneTag, latest], expected: { kind: 'digest', digest: other.digest } },
      { targets: ['prod-b'], tags: ['2.0.0' as Tag], manifest: other, expected: { kind: 'unknown' } },
    );
    await new TopologyRevisions(scene.database).locate('prod', 'http://127.0.0.1:5001');
    await scene.apply({
      ...topology,
      registries: { ...topology.registries, more: { ...topology.registries['ci'], name: 'more' } as Topology['registries'][string] },
    });

    const loaded = await loadRun(scene.database, id, 'eu');

    expect(loaded?.topology).toEqual(topology);
    expect(loaded?.addresses).toEqual(new Map([['prod', 'http://127.0.0.1:5001']]));
    expect(loaded?.run).toMatchObject({ promotionId: id, location: 'eu' });
    expect(loaded?.run.removedPath).toBeUndefined();
    const expected = { kind: 'digest', digest: other.digest };
    const fresh = {
      state: 'pending',
      attempts: 0,
      isWaiting: false,
      isReplaced: false,
      repository,
      requirement: 'required',
      id: expect.any(String),
    };
    const source = { registry: 'ci', repository, tag: oneTag };
    expect(loaded?.run.items).toEqual([
      {
        id: expect.any(String),
        source,
        isSourceReplaced: false,
        digest: image.digest,
        targets: [
          {
            ...fresh,
            registry: 'prod',
            tags: [
              { tag: oneTag, expected, immutable: true },
              { tag: latest, expected, immutable: true },
            ],
          },
          {
            ...fresh,
            registry: 'prod-b',
            tags: [
              { tag: oneTag, expected, immutable: false },
              { tag: latest, expected, immutable: false },
            ],
          },
        ],
      },
      {
        id: expect.any(String),
        source,
        isSourceReplaced: false,
        digest: other.digest,
        targets: [{ ...fresh, registry: 'prod-b', tags: [{ tag: '2.0.0', expected: { kind: 'unknown' }, immutable: false }] }],
      },
    ]);
    expect((await loadRun(scene.database, id, 'us'))?.run.items[0]?.targets).toMatchObject([
      { registry: 'prod-us', follows: expect.any(String) },
    ]);
  });

  it('reaches registries as the active topology says, and takes a tag for immutable that either topology protects', async () => {
    const id = await scene.request({ targets: ['prod', 'prod-b'] });
    const changed = (name: string, facts: object) => ({ [name]: { ...registryNamed(topology, name), ...facts } });
    const credentials = { read: { secret: 'rotated' } };
    await scene.apply({
      ...topology,
      registries: {
        ...topology.registries,
        ...changed('ci', { credentials }),
        ...changed('prod', { immutableTags: { kind: 'none' } }),
        ...changed('prod-b', { immutableTags: { kind: 'all' } }),
        ...changed('prod-c', { local: undefined, url: 'https://registry.example', credentials }),
      },
    });

    const loaded = await loadRun(scene.database, id, 'eu');

    expect(loaded?.topology.registries['ci']).toMatchObject({ credentials });
    expect(loaded?.topology.registries['prod-c']).toEqual(topology.registries['prod-c']);
    expect(loaded?.run.items[0]?.targets).toMatchObject([
      { registry: 'prod', tags: [{ immutable: true }] },
      { registry: 'prod-b', tags: [{ immutable: true }] },
    ]);
  });

  it('leaves out what has ended and what is due later', async () => {
    const id = await scene.request({ targets: ['prod', 'prod-b', 'prod-c'] });
    await scene.database.tables.$executeRaw`
      UPDATE item_target t SET due_at = now() + interval '1 minute' FROM registry r WHERE r.id = t.registry_id AND r.name = 'prod'`;
    await scene.database.tables.$executeRaw`
      UPDATE item_target t SET state = 'done', outcome = 'copied' FROM registry r WHERE r.id = t.registry_id AND r.name = 'prod-b'`;

    expect((await loadRun(scene.database, id, 'eu'))?.run.items.flatMap(({ targets }) => targets.map(({ registry }) => registry))).toEqual([
      'prod-c',
    ]);
    expect((await loadRun(scene.database, id, 'moon'))?.run.items).toEqual([]);
    expect(await loadRun(scene.database, uuidV7.next(), 'eu')).toBeUndefined();
  });

  it.each<[string, Topology, 'ci' | 'prod']>([
    ['its target was replaced', at('prod', 'https://registry.example'), 'prod'],
    ['its source was replaced', at('ci', 'https://registry.example'), 'ci'],
    ['its target was removed', { ...topology, registries: { ci: registryNamed(topology, 'ci') }, replications: [] }, 'prod'],
  ])('lets a run tag nothing, and bring nothing to prod, when %s after the request', async (_name, changed, name) => {
    const id = await scene.request();
    await scene.apply(changed);
    const copier = new MemoryCopier();

    await scene.run(await scene.messageOf(id), copier);
    await scene.run(await scene.messageOf(id, 'us'), copier);

    expect([...copier.manifests, ...copier.tags.keys()].filter((sent) => sent.startsWith('prod@') || sent.includes(':1.0.0'))).toEqual([]);
    const { state, items } = await scene.promotion(id);
    expect(state).toBe('failed');
    const prod = items[0]?.targets.find(({ registry }) => registry.name === 'prod');
    expect(prod).toMatchObject({
      outcome: 'failed',
      attempts: 0,
      error: { code: 'registry-replaced', message: expect.stringContaining(name) },
    });
  });

  it('takes a registry that was replaced and came back for another one', async () => {
    const id = await scene.request({ targets: ['prod'] });
    await scene.apply(at('prod', 'https://registry.example'));
    await scene.apply(topology);

    expect((await loadRun(scene.database, id, 'eu'))?.run.items[0]?.targets[0]?.isReplaced).toBe(true);
  });

  it('refuses to record a promotion whose registries were replaced since it was planned', async () => {
    const planned = 1;
    await scene.apply(at('prod', 'https://registry.example'));

    await expect(scene.request({ targets: ['prod'], revision: planned })).rejects.toMatchObject({
      code: 'topology-changed',
      retryable: true,
    });
    expect(await scene.database.tables.promotion.count()).toBe(0);
    await expect(scene.request({ targets: ['prod-b'], revision: planned })).resolves.toEqual(expect.any(String));
  });
});
