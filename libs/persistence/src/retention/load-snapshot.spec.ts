import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { digestToBytes, mediaType, type Tag } from '@waybill/oci-model';
import type { RepositorySnapshot, SnapshotManifest } from '@waybill/retention';
import { image, manifestNamed, MemoryCopier, repository as promoted } from '../scene.spec-helper.js';
import { TopologyRevisions } from '../topology/topology-revisions.js';
import { longAgo, named, type RepositoryToSeed, seedRepository, seedTag } from './inventory-rows.spec-helper.js';
import { groupRepositories } from './load-repositories.js';
import { type LoadedRepository, loadSnapshot, loadSnapshots } from './load-snapshot.js';
import { RetentionScene } from './retention-scene.spec-helper.js';

const idOfBlob = (name: string) => named(name).slice('sha256:'.length, 'sha256:'.length + 16);
const later = new Date('2025-01-01T00:00:00Z');

describe('loadSnapshot', () => {
  let scene: RetentionScene;
  let registryIds: ReadonlyMap<string, string>;
  let repository: string;
  let count = 0;

  beforeAll(async () => {
    scene = await RetentionScene.start();
    const registries = await new TopologyRevisions(scene.database).currentRegistries();
    registryIds = new Map(registries.map(({ name, id }) => [name, id]));
  });
  afterAll(() => scene.close());
  beforeEach(() => {
    repository = `team-a/app-${++count}`;
  });

  const idOf = (name: string) => registryIds.get(name) ?? '';
  const seed = (rows: Partial<RepositoryToSeed>, registry = 'ci') =>
    seedRepository(scene.database, { registryId: idOf(registry), repository, manifests: {}, ...rows });

  async function load(absentFrom: readonly string[] = [], registry = 'ci', name = repository): Promise<LoadedRepository> {
    const place = { id: idOf(registry), name: registry, role: 'ci-snapshots' } as const;
    const loaded = await loadSnapshot(scene.database, { registry: place, repository: name, absentFrom });
    if (loaded === undefined) throw new Error('the inventory has no such repository');
    return loaded;
  }
  function manifestIn({ manifests }: RepositorySnapshot, name: string): SnapshotManifest {
    const manifest = manifests.find(({ digest }) => digest === named(name));
    if (manifest === undefined) throw new Error(`there is no manifest ${name}`);
    return manifest;
  }
  const sorted = (loaded: LoadedRepository | undefined) => loaded?.snapshot.manifests.map(({ digest }) => digest).sort();
  const tagIn = ({ tags }: RepositorySnapshot, tag: string) => tags.find(({ name }) => name === tag);

  it('knows nothing of a repository that nobody has heard of', async () => {
    const registry = { id: idOf('ci'), name: 'ci', role: 'ci-snapshots' } as const;

    expect(await loadSnapshot(scene.database, { registry, repository: 'nothing', absentFrom: [] })).toBeUndefined();
  });

  it('gives manifests with what is beneath them, and tags', async () => {
    await seed({
      manifests: {
        amd64: { blobs: ['base', 'top'], pushedAt: later, annotations: { 'a.b': 'c' } },
        arm64: { blobs: ['base'], platforms: ['linux/arm64/v8'], createdAt: later },
        index: { children: ['amd64', 'arm64', 'absent'], seenFrom: later },
        signature: { subject: 'index', blobs: ['payload'] },
      },
      tags: { '1.0.0': 'index' },
    });

    const { snapshot, now } = await load();

    expect(Math.abs(now - Date.now())).toBeLessThan(60_000);
    expect(snapshot).toMatchObject({ registry: 'ci', repository, role: 'ci-snapshots' });
    expect(snapshot.knowledge).toEqual({
      ...{ unreadableManifests: 0, isSuspect: false, pullsKnownSince: 'unknown', referrersKnownOf: 'all' },
      lastFullCrawlStartedAt: expect.any(Number),
    });
    expect(snapshot.tags).toEqual([
      { name: '1.0.0', digest: named('index'), taggedAt: longAgo.getTime(), seenSince: longAgo.getTime(), history: [] },
    ]);
    expect(snapshot.manifests).toHaveLength(4);
    const amd64 = manifestIn(snapshot, 'amd64');
    expect(amd64).toMatchObject({
      ...{
        pushedAt: later.getTime(),
        firstSeenAt: longAgo.getTime(),
        createdAt: longAgo.getTime(),
        lastPulledAt: 'never',
        untaggedAt: 'never',
      },
      ...{ annotations: { 'a.b': 'c' }, platforms: ['linux/amd64'], size: 'amd64'.length, children: [], promotedTo: [], sources: [] },
    });
    expect(new Set(amd64.blobs)).toEqual(
      new Set([
        { id: idOfBlob('base'), size: 100 },
        { id: idOfBlob('top'), size: 100 },
      ]),
    );
    const index = manifestIn(snapshot, 'index');
    expect([...index.children].sort()).toEqual(['absent', 'amd64', 'arm64'].map(named).sort());
    expect([...index.blobs]).toEqual([]);
    expect(index).toMatchObject({ pushedAt: 'unknown', firstSeenAt: later.getTime() });
    expect([...manifestIn(snapshot, 'arm64').blobs]).toEqual([{ id: idOfBlob('base'), size: 100 }]);
    expect(manifestIn(snapshot, 'signature').subject).toBe(named('index'));
  });

  it.each<[string, Partial<RepositoryToSeed>, Partial<RepositorySnapshot['knowledge']>]>([
    ['a crawl has not been through', { crawledAt: null }, { lastFullCrawlStartedAt: 'none' }],
    ['most tags were gone at once', { state: 'suspect' }, { isSuspect: true }],
    ['the last look failed', { state: 'unreadable' }, { isSuspect: true }],
    ['a manifest is not understood', { manifests: { odd: { unreadable: 'not JSON' } } }, { unreadableManifests: 1 }],
  ])('says what is in doubt where %s', async (_what, rows, knowledge) => {
    await seed(rows);

    expect((await load()).snapshot.knowledge).toMatchObject(knowledge);
  });

  it('says which facts of a manifest are not all there', async () => {
    await seed({ manifests: { [`whole ${repository}`]: {}, [`cut ${repository}`]: { gaps: ['annotations', 'platforms'] } } });

    const { snapshot } = await load();

    expect(manifestIn(snapshot, `whole ${repository}`).lacksAnnotations).toBe(false);
    expect(manifestIn(snapshot, `cut ${repository}`)).toMatchObject({ lacksAnnotations: true, platforms: 'unknown' });
  });

  it('counts manifests that are named and were not to be had', async () => {
    await seed({ manifests: { one: {} }, tags: { '1.0.0': 'one' } });
    await scene.database.tables.$executeRaw`
      INSERT INTO unreadable_manifest (repository_id, digest, problem) SELECT id, '\\x00', '{}' FROM repository WHERE name = ${repository}`;

    expect((await load()).snapshot.knowledge.unreadableManifests).toBe(1);
  });

  it('counts manifests that were put there, and that nobody has read', async () => {
    const [one, two] = ['one', 'two'].map((name) => `unread ${name} of ${repository}`);
    if (one === undefined || two === undefined) throw new Error('two names were given');
    await seed({ manifests: { [one]: { blobs: ['base'] }, [two]: {} }, tags: { '1.0.0': two } });
    await scene.database.tables.$executeRaw`DELETE FROM manifest WHERE raw = ${new Uint8Array(Buffer.from(one))}`;
    expect((await load()).snapshot.knowledge.unreadableManifests).toBe(1);

    await scene.database.tables.$executeRaw`
      INSERT INTO unreadable_manifest (repository_id, digest, problem)
      SELECT id, ${digestToBytes(named(one))}, '{}' FROM repository WHERE name = ${repository}`;

    expect((await load()).snapshot.knowledge.unreadableManifests).toBe(1);
  });

  it('tells what a tag named before, and when it left that', async () => {
    await seed({ manifests: { one: {}, two: {}, three: {} }, tags: { latest: 'one', gone: 'one' } });
    const move = (tag: string, name: string | undefined, at: Date) =>
      seedTag(scene.database, { registryId: idOf('ci'), repository, tag, ...(name === undefined ? {} : { name }), at, source: 'crawl' });
    await move('latest', 'two', new Date('2024-02-01T00:00:00Z'));
    await move('latest', 'one', new Date('2024-03-01T00:00:00Z'));
    await move('latest', 'three', new Date('2024-04-01T00:00:00Z'));
    await move('gone', undefined, new Date('2024-05-01T00:00:00Z'));

    const { snapshot } = await load();

    expect(snapshot.tags.map(({ name }) => name)).toEqual(['latest']);
    expect(tagIn(snapshot, 'latest')).toMatchObject({
      ...{ digest: named('three'), history: [named('one'), named('two')] },
      ...{ taggedAt: 'unknown', seenSince: Date.parse('2024-04-01T00:00:00Z') },
    });
    expect(manifestIn(snapshot, 'one').untaggedAt).toBe(Date.parse('2024-05-01T00:00:00Z'));
    expect(manifestIn(snapshot, 'two').untaggedAt).toBe(Date.parse('2024-03-01T00:00:00Z'));
    expect(manifestIn(snapshot, 'three').untaggedAt).toBe('never');
  });

  it('reads several repositories at once as it does one by one, and a large one page by page', async () => {
    const names = Array.from({ length: 4_100 }, (_, at) => `${at} of ${repository}`);
    const small = `${repository}/small`;
    await seed({ manifests: { [`first ${repository}`]: { blobs: ['base'] } }, tags: { latest: `first ${repository}` } });
    await seedRepository(scene.database, { registryId: idOf('ci'), repository: small, manifests: { [`small ${repository}`]: {} } });
    const { tables } = scene.database;
    const raw = names.map((one) => new Uint8Array(Buffer.from(one)));
    await tables.$executeRaw`
      INSERT INTO content (digest, media_type, size) SELECT sha256(raw), ${mediaType.ociManifest}, 1 FROM unnest(${raw}::bytea[]) AS r (raw)`;
    await tables.$executeRaw`
      INSERT INTO manifest (digest, media_type, is_index, created_problem, raw)
      SELECT sha256(raw), ${mediaType.ociManifest}, false, 'missing', raw FROM unnest(${raw}::bytea[]) AS r (raw)`;
    await tables.$executeRaw`
      INSERT INTO placement (registry_id, repository, digest, seen_by)
      SELECT ${idOf('ci')}::uuid, ${repository}, sha256(raw), gen_random_uuid() FROM unnest(${raw}::bytea[]) AS r (raw)`;

    const [alone, other] = [await load(), await load([], 'ci', small)];
    const place = { id: idOf('ci'), name: 'ci', role: 'ci-snapshots' } as const;
    const together = await loadSnapshots(scene.database, { registry: place, absentFrom: [] }, [repository, small, 'nothing']);

    expect(new Set(alone.snapshot.manifests.map(({ digest }) => digest)).size).toBe(4_101);
    expect([...together.keys()].sort()).toEqual([repository, small]);
    expect(together.get(small)?.snapshot).toEqual(other.snapshot);
    expect(sorted(together.get(repository))).toEqual(sorted(alone));
    expect(await groupRepositories(scene.database, idOf('ci'), [repository, small, 'nothing'])).toEqual([[repository], [small, 'nothing']]);
  });

  it('leaves out what is no longer there, and what is elsewhere', async () => {
    await seed({ manifests: { one: {}, two: {} }, tags: { '1.0.0': 'one' } });
    await seedRepository(scene.database, { registryId: idOf('prod'), repository, manifests: { three: {} }, tags: { '2.0.0': 'three' } });
    await scene.database.tables.$executeRaw`UPDATE placement SET seen_until = now() WHERE repository = ${repository} AND digest = (
      SELECT digest FROM manifest WHERE raw = ${new Uint8Array(Buffer.from('two'))})`;

    const { snapshot } = await load();

    expect(snapshot.manifests.map(({ digest }) => digest)).toEqual([named('one')]);
    expect(snapshot.tags.map(({ name }) => name)).toEqual(['1.0.0']);
  });

  describe('asked about another registry', () => {
    const since = async (name: string) => manifestIn((await load(['prod'])).snapshot, name).absences;
    const crawled = (registry: string) => scene.database.tables.$executeRaw`
      INSERT INTO crawl (id, registry_id, location, kind, state, finished_at)
      VALUES (gen_random_uuid(), ${idOf(registry)}::uuid, 'eu', 'full', 'complete', now())`;
    beforeEach(async () => {
      await scene.database.tables.$executeRaw`DELETE FROM crawl`;
      await scene.database.tables.$executeRaw`UPDATE repository SET state = 'gone', gone_at = now(), suspect_since = NULL`;
    });
    const gone = new Date('2025-06-01T00:00:00Z');
    async function seedBoth(state = 'known'): Promise<void> {
      const [here, there, left] = ['here', 'there', 'left'].map((name) => `${name} ${repository}`);
      if (here === undefined || there === undefined || left === undefined) throw new Error('three names were given');
      await seed({ manifests: { [here]: {}, [there]: {}, [left]: {} } });
      await seed({ state, manifests: { [there]: {}, [left]: {} } }, 'prod');
      await scene.database.tables.$executeRaw`
        UPDATE placement SET seen_until = ${gone} WHERE registry_id = ${idOf('prod')}::uuid AND digest = (
          SELECT digest FROM manifest WHERE raw = ${new Uint8Array(Buffer.from(left))})`;
    }

    it.each<[string, string, unknown]>([
      ['what is there is present', 'there', 'present'],
      ['what was there is absent since it went', 'left', gone.getTime()],
      ['nobody knows of what was never seen there', 'here', 'unknown'],
    ])('%s', async (_what, name, expected) => {
      await seedBoth();
      await crawled('prod');

      expect(await since(`${name} ${repository}`)).toEqual([{ registry: 'prod', since: expected }]);
    });

    it('nobody knows what is absent where no full crawl has ended, or something is in doubt', async () => {
      await seedBoth('suspect');
      expect(await since(`left ${repository}`)).toEqual([{ registry: 'prod', since: 'unknown' }]);
      await crawled('prod');
      expect(await since(`left ${repository}`)).toEqual([{ registry: 'prod', since: 'unknown' }]);
      expect(await since(`there ${repository}`)).toEqual([{ registry: 'prod', since: 'present' }]);
    });
  });

  it('tells what promotions brought from here and to here, and what stands under their tags', async () => {
    const manifest = manifestNamed('a promoted image');
    const tag = '7.0.0' as Tag;
    const id = await scene.scene.request({ targets: ['prod'], tags: [tag], manifest });
    await scene.scene.run(await scene.scene.messageOf(id), new MemoryCopier(manifest));
    for (const registry of ['ci', 'prod']) {
      await scene.database.tables.$executeRaw`
        INSERT INTO manifest (digest, media_type, is_index, created_problem, raw) SELECT digest, media_type, false, 'missing', 'raw'
        FROM content WHERE digest_text(digest) = ${manifest.digest} ON CONFLICT DO NOTHING`;
      await scene.database.tables.$executeRaw`
        INSERT INTO placement (registry_id, repository, digest, seen_by)
        SELECT ${idOf(registry)}::uuid, ${promoted}, digest, gen_random_uuid() FROM content WHERE digest_text(digest) = ${manifest.digest}
        ON CONFLICT DO NOTHING`;
      await scene.database.tables.$executeRaw`
        INSERT INTO repository (registry_id, name) VALUES (${idOf(registry)}::uuid, ${promoted}) ON CONFLICT DO NOTHING`;
    }
    const of = ({ snapshot }: LoadedRepository) => snapshot.manifests.find(({ digest }) => digest === manifest.digest);

    const [from, to] = [await load([], 'ci', promoted), await load([], 'prod', promoted)];

    expect(of(from)).toMatchObject({ promotedTo: [{ registry: 'prod', at: expect.any(Number) }], sources: [] });
    expect(of(to)).toMatchObject({ promotedTo: [], sources: ['ci'] });
    expect([from.provenanceTargets.has(manifest.digest), to.provenanceTargets.has(manifest.digest)]).toEqual([false, true]);
    expect(to.provenanceTargets.has(image.digest)).toBe(false);
    expect(tagIn(to.snapshot, tag)?.taggedAt).toEqual(expect.any(Number));

    await seedTag(scene.database, { registryId: idOf('prod'), repository: promoted, tag, at: new Date(), source: 'crawl' });
    expect((await load([], 'prod', promoted)).provenanceTargets.has(manifest.digest)).toBe(false);
  });
});
