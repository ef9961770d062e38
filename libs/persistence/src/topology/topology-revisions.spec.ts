import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RepositoryName } from '@waybill/oci-model';
import { type Registry, registryNamed, type Topology } from '@waybill/topology';
import { Database } from '../database.js';
import { Scene, topology } from '../scene.spec-helper.js';
import { TopologyRevisions } from './topology-revisions.js';

function changing(name: string, facts: Partial<Registry>): Topology {
  const { local, ...registry } = registryNamed(topology, name);
  const changed = { ...registry, ...(facts.url === undefined && local !== undefined ? { local } : {}), ...facts };
  return { ...topology, registries: { ...topology.registries, [name]: changed as Registry } };
}

function without(...names: readonly string[]): Topology {
  const registries = Object.fromEntries(Object.entries(topology.registries).filter(([name]) => !names.includes(name)));
  return { ...topology, registries, paths: {}, replications: [] };
}

describe('TopologyRevisions', () => {
  let scene: Scene;
  let revisions: TopologyRevisions;

  beforeEach(async () => {
    scene = await Scene.start();
    revisions = new TopologyRevisions(scene.database);
  });

  afterEach(() => scene.close());

  const apply = (changed: Topology) => revisions.apply(changed, 'source', scene.principalId);
  const current = async () => new Map((await revisions.currentRegistries()).map((registry) => [registry.name, registry]));

  it('numbers what is applied, and makes no revision of what is active already', async () => {
    const changed = { ...topology, name: 'changed' };

    expect(await apply(topology)).toMatchObject({ changed: false, revision: { number: 1 } });
    expect(await apply(changed)).toMatchObject({ changed: true, revision: { number: 2, topology: changed, source: 'source' } });
    expect(await apply(topology)).toMatchObject({ changed: true, revision: { number: 3 } });

    expect((await revisions.active())?.number).toBe(3);
    expect((await revisions.byNumber(2))?.topology).toEqual(changed);
    expect(await revisions.byNumber(4)).toBeUndefined();
  });

  it('reads the text of a revision once, and asks each time which one is active', async () => {
    const read: string[] = [];
    const database = new Database(scene.server.url, { onStatement: (statement) => void read.push(statement) });
    const others = new TopologyRevisions(database);
    const documents = () => read.filter((statement) => statement.includes('"document"')).length;

    expect(await others.active()).toBe(await others.active());
    expect(documents()).toBe(1);
    await apply({ ...topology, name: 'changed' });
    expect(await others.active()).toMatchObject({ number: 2, topology: { name: 'changed' } });
    expect((await others.byNumber(1))?.topology).toEqual(topology);
    expect(documents()).toBe(2);
    await database.close();
  });

  it('remembers a few revisions, and reads the others again', async () => {
    for (let count = 0; count < 5; count += 1) await apply({ ...topology, name: `number ${count}` });
    const first = await revisions.byNumber(1);
    for (let number = 2; number <= 5; number += 1) await revisions.byNumber(number);

    const again = await revisions.byNumber(1);

    expect(again).not.toBe(first);
    expect(again).toEqual(first);
  });

  it('numbers without a gap when many apply at once', async () => {
    const applied = await Promise.all(Array.from({ length: 8 }, (_, index) => apply({ ...topology, name: `number ${index}` })));

    expect(applied.map(({ revision }) => revision.number).sort()).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it.each<[string, Topology, boolean]>([
    ['a new URL', changing('prod', { url: 'https://prod.example' }), true],
    ['a new prefix', changing('prod', { url: 'https://prod.example', prefix: 'acme' as RepositoryName }), true],
    ['another role', changing('prod', { role: 'staging' }), false],
    ['another location', changing('prod', { location: 'us' }), false],
    ['nothing new of its own', { ...topology, name: 'changed' }, false],
  ])('takes a registry with %s for another one or the same', async (_name, changed, isReplaced) => {
    await revisions.locate('prod', 'http://127.0.0.1:5001');
    const before = await current();

    await apply(changed);

    const after = await current();
    expect(after.get('prod')?.id === before.get('prod')?.id).toBe(!isReplaced);
    expect(after.get('prod')?.address).toBe(isReplaced ? undefined : 'http://127.0.0.1:5001');
    expect(after.get('ci')).toEqual(before.get('ci'));
    const row = await scene.database.tables.registry.findFirst({ where: { name: 'prod', replacedAt: null } });
    expect(row?.role).toBe(changed.registries['prod']?.role);
  });

  it('takes a registry that was removed and comes back as it was for the same, and trusts nothing that it knew of it', async () => {
    await revisions.locate('prod', 'http://127.0.0.1:5001');
    const before = await scene.database.tables.registry.findFirstOrThrow({ where: { name: 'prod' } });
    const others = (await current()).get('ci')?.id ?? '';
    await scene.database.tables.$executeRaw`
      INSERT INTO repository (registry_id, name, last_full_crawl_started_at)
      SELECT id, 'team-a/looked-at', now() FROM registry WHERE id IN (${before.id}::uuid, ${others}::uuid)`;
    await apply(without('prod', 'prod-us'));
    expect([...(await current()).keys()]).toEqual(['ci', 'prod-b', 'prod-c']);

    await apply(topology);

    expect((await current()).get('prod')).toEqual({ id: before.id, name: 'prod', address: undefined });
    const after = await scene.database.tables.registry.findFirstOrThrow({ where: { id: before.id } });
    expect(after.epoch).toBe(before.epoch + 1n);
    const looked = await scene.database.tables.repository.findMany({ where: { name: 'team-a/looked-at' } });
    expect(looked.map(({ registryId, lastFullCrawlStartedAt: at }) => [registryId, at === null]).sort()).toEqual(
      [
        [before.id, true],
        [others, false],
      ].sort(),
    );
  });

  it('takes one that comes back for another one when it has another URL, or when another one stood in its place', async () => {
    const first = (await current()).get('prod')?.id;
    await apply(without('prod', 'prod-us'));
    await apply(changing('prod', { url: 'https://prod.example' }));
    const second = (await current()).get('prod')?.id;
    await apply(without('prod', 'prod-us'));

    await apply(topology);

    expect(new Set([first, second, (await current()).get('prod')?.id]).size).toBe(3);
  });

  it('notes where local registries listen, and no others', async () => {
    await apply(changing('prod', { url: 'https://prod.example' }));

    expect(await revisions.locate('ci', 'http://127.0.0.1:5001')).toBe(true);
    expect(await revisions.locate('prod', 'http://127.0.0.1:5002')).toBe(false);
    expect(await revisions.locate('none', 'http://127.0.0.1:5003')).toBe(false);

    expect((await current()).get('ci')?.address).toBe('http://127.0.0.1:5001');
    expect((await current()).get('prod')?.address).toBeUndefined();
  });
});
