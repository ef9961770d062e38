import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { digestOf, type RepositoryName, type Tag } from '@waybill/oci-model';
import pg from 'pg';
import { Scene } from '../scene.spec-helper.js';
import { InventoryCrawls } from './crawls.read-model.js';
import { InventoryManifests } from './manifests.read-model.js';
import { InventoryRelations } from './relations.read-model.js';
import { InventoryRepositories } from './repositories.read-model.js';
import { InventorySearch } from './search.read-model.js';
import { InventoryTags } from './tags.read-model.js';
import { VisibleRepositories } from './visible-repositories.js';

const rows = 10_000;
const fill = path.resolve(import.meta.dirname, '../../../../bench/inventory/fill.sql');
const registryId = '00000000-0000-7000-8000-000000000001';
const repository = 'large/app' as RepositoryName;
const large = BigInt(rows + 1);
const half = BigInt(rows / 2);
const limit = 50;
const everything = new VisibleRepositories(['**']);
const some = new VisibleRepositories(['team-05*/**', 'large/app']);
const scattered = new VisibleRepositories(['*/app-7', 'large/*']);
const middle = digestOf(Buffer.from(String(rows / 2)));

/** The tables of which one list or another shows a part. */
const growing = [
  ...['repository', 'tag', 'tag_event', 'content', 'content_edge', 'manifest', 'manifest_annotation', 'placement'],
  ...['unreadable_manifest', 'crawl', 'crawl_repository'],
];

describe(`lists of ${rows} rows`, () => {
  let scene: Scene;
  let admin: pg.Client;
  let repositories: InventoryRepositories;
  let tags: InventoryTags;
  let manifests: InventoryManifests;
  let crawls: InventoryCrawls;
  let relations: InventoryRelations;
  let search: InventorySearch;

  beforeAll(async () => {
    // One connection, so that what it has counted can be asked of it.
    scene = await Scene.start({ maxConnections: 1 });
    admin = new pg.Client({ connectionString: scene.server.adminUrl });
    await admin.connect();
    await admin.query((await readFile(fill, 'utf8')).replaceAll(':rows', String(rows)));
    repositories = new InventoryRepositories(scene.database);
    tags = new InventoryTags(scene.database);
    manifests = new InventoryManifests(scene.database);
    crawls = new InventoryCrawls(scene.database);
    relations = new InventoryRelations(scene.database);
    search = new InventorySearch(scene.database);
  }, 120_000);

  afterAll(async () => {
    await admin.end();
    await scene.close();
  });

  /** What was read one row after the other from end to end, by table. */
  async function scanned(): Promise<Record<string, number>> {
    await scene.database.tables.$executeRaw`SELECT pg_stat_force_next_flush()`;
    await scene.database.ping();
    const { rows: counts } = await admin.query<{ relname: string; read: string }>(
      `SELECT relname, seq_tup_read::text AS read FROM pg_stat_user_tables WHERE relname = ANY($1)`,
      [growing],
    );
    return Object.fromEntries(counts.map(({ relname, read }) => [relname, Number(read)]));
  }

  const listed = { registryId, prefix: '', state: undefined, limit };
  const ofLarge = { registryId, repositoryId: large, repository, limit };
  const scope = { registries: [registryId], visible: everything, repository: undefined, limit };
  const anything = { annotation: undefined, digest: undefined, tag: undefined, after: undefined };

  const related = async (name: string): Promise<number> => {
    const { blobs, referrers } = await relations.read(digestOf(Buffer.from(name)), scope);
    return blobs.length + referrers.length;
  };

  /** What a page holds. */
  const count = async (page: Promise<readonly unknown[] | { readonly rows: readonly unknown[] }>): Promise<number> => {
    const found = await page;
    return 'rows' in found ? found.rows.length : found.length;
  };

  it.each<[string, () => Promise<number>, number]>([
    ['a repository', async () => ((await repositories.get(registryId, repository)) === undefined ? 0 : 1), 1],
    ['repositories', () => count(repositories.list({ ...listed, visible: everything, after: undefined })), limit],
    ['repositories from the middle', () => count(repositories.list({ ...listed, visible: everything, after: 'team-0500/app-500' })), limit],
    ['the last repositories', () => count(repositories.list({ ...listed, visible: everything, after: 'team-0999/app-6999' })), 4],
    [
      'repositories that begin so',
      () => count(repositories.list({ ...listed, visible: everything, prefix: 'team-0500/', after: undefined })),
      10,
    ],
    ['repositories of a key of scattered ones', () => count(repositories.list({ ...listed, visible: scattered, after: undefined })), 2],
    ['repositories of a key of some', () => count(repositories.list({ ...listed, visible: some, after: undefined })), limit],
    [
      'repositories in a state that none is in',
      () => count(repositories.list({ ...listed, visible: everything, state: 'gone', after: undefined })),
      0,
    ],
    ['what cannot be read', () => count(repositories.unreadable(large, 20)), 20],
    ['tags', () => count(tags.list({ repositoryId: large, prefix: '', withReserved: false, after: undefined, limit })), limit],
    ['tags from the middle', () => count(tags.list({ repositoryId: large, prefix: '', withReserved: false, after: 'v5', limit })), limit],
    [
      'tags that begin so',
      () => count(tags.list({ repositoryId: large, prefix: 'v999', withReserved: false, after: undefined, limit })),
      11,
    ],
    [
      'tags with reserved ones',
      () => count(tags.list({ repositoryId: large, prefix: '', withReserved: true, after: 'sha256-f', limit })),
      limit,
    ],
    ['the history of a tag', () => count(tags.history({ registryId, repository, tag: 'main' as Tag, before: undefined, limit })), limit],
    ['an older history of a tag', () => count(tags.history({ registryId, repository, tag: 'main' as Tag, before: half, limit })), limit],
    ['manifests', () => count(manifests.list({ ...ofLarge, state: 'all', after: undefined })), limit],
    ['manifests from the middle', () => count(manifests.list({ ...ofLarge, state: 'tagged', after: middle })), limit],
    [
      'manifests without a tag, of which there is none',
      () => count(manifests.list({ ...ofLarge, state: 'untagged', after: undefined })),
      0,
    ],
    ['crawls', () => count(crawls.list(registryId, { before: undefined, limit })), limit],
    ['a crawl', async () => (await crawls.get('00000000-0000-7000-8000-000000002710'))?.left ?? -1, rows],
    ['repositories by name', () => count(search.repositories({ ...scope, repository: 'team-0500/*', after: undefined })), 10],
    ['repositories by name from the middle', () => count(search.repositories({ ...scope, repository: 'team-*', after: half })), limit],
    ['a tag of all', () => count(search.tags({ ...scope, tag: 'latest', after: undefined })), limit],
    [
      'a tag of all from the middle',
      () => count(search.tags({ ...scope, tag: 'latest', after: { tag: 'latest', repositoryId: half } })),
      limit,
    ],
    ['tags that begin so anywhere', () => count(search.tags({ ...scope, tag: 'v99*', after: undefined })), limit],
    ['a tag of some', () => count(search.tags({ ...scope, repository: 'team-05*', tag: 'latest', after: undefined })), limit],
    [
      'tags of one from the middle',
      () => count(search.tags({ ...scope, repository, tag: 'v*', after: { tag: 'v5', repositoryId: large } })),
      limit,
    ],
    ['an annotation of all', () => count(search.artifacts({ ...scope, ...anything, annotation: { key: 'team', value: 'a' } })), limit],
    [
      'an annotation of all from the middle',
      () => count(search.artifacts({ ...scope, ...anything, annotation: { key: 'team', value: 'a' }, after: middle })),
      limit,
    ],
    ['an annotation of one', () => count(search.artifacts({ ...scope, ...anything, annotation: { key: 'build', value: '7' } })), 1],
    [
      'an annotation of all with a tag of one',
      () => count(search.artifacts({ ...scope, ...anything, annotation: { key: 'team', value: 'a' }, tag: 'v7' })),
      0,
    ],
    ['an artifact', () => related('7'), 2],
    ['an artifact that all others refer to', () => related('1'), 102],
    ['a blob of all artifacts', () => related('base'), 0],
    ['a digest', () => count(search.artifacts({ ...scope, ...anything, digest: middle })), 1],
    ['what begins so', () => count(search.artifacts({ ...scope, ...anything, digest: 'sha256:8' })), limit],
    [
      'what begins so in some repositories',
      () => count(search.artifacts({ ...scope, ...anything, visible: some, repository: 'team-*', digest: 'sha256:8' })),
      limit,
    ],
  ])('of %s read no table from end to end', async (_name, read, expected) => {
    const before = await scanned();

    expect(await read()).toBe(expected);

    const after = await scanned();
    expect(Object.fromEntries(Object.entries(after).filter(([table, number]) => number > (before[table] ?? 0)))).toEqual({});
  });
});
