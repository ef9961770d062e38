// Every list and search of the inventory, with where its middle and its last page begin.
import { digestFromBytes } from '@waybill/oci-model';
import {
  InventoryCrawls,
  InventoryManifests,
  InventoryRepositories,
  InventorySearch,
  InventoryTags,
  VisibleRepositories,
} from '@waybill/persistence';

const registryId = '00000000-0000-7000-8000-000000000001';
const repository = 'large/app';
const limit = 50;
const all = new VisibleRepositories(['**']);
const some = new VisibleRepositories(['team-05*/**', 'large/app']);

/** Names of pages, and functions that read them and give how many rows they hold. */
export async function lists(database, admin, rows) {
  const repositories = new InventoryRepositories(database);
  const tags = new InventoryTags(database);
  const manifests = new InventoryManifests(database);
  const crawls = new InventoryCrawls(database);
  const search = new InventorySearch(database);
  const large = BigInt(rows + 1);
  const scope = { registries: [registryId], visible: all, repository: undefined, limit };
  const nothing = { annotation: undefined, digest: undefined, tag: undefined };
  const team = { key: 'team', value: 'a' };
  const at = (sql, share) => cell(admin, sql, Math.floor(share * rows));
  const byDigest = `SELECT digest FROM manifest ORDER BY digest`;
  const digestAt = async (share) => digestFromBytes(await at(byDigest, share));

  const repositoryAt = (share) => at(`SELECT name FROM repository ORDER BY name COLLATE "C"`, share);
  const repositoryIdAt = (share) => at(`SELECT id FROM repository ORDER BY name COLLATE "C"`, share).then(BigInt);
  const tagAt = (share) => at(`SELECT name FROM tag WHERE repository_id = ${large} AND NOT is_reserved ORDER BY name COLLATE "C"`, share);
  const eventAt = (share) => at(`SELECT id FROM tag_event ORDER BY id DESC`, share).then(BigInt);
  const crawlAt = (share) => at(`SELECT id FROM crawl ORDER BY id DESC`, share);
  const latestAt = (share) => ({ tag: 'latest', repositoryId: BigInt(Math.floor(share * rows)) });
  const teamAt = async (share) => ({ tag: 'latest', repositoryId: await repositoryIdAt(share) });

  const pages = [
    ['repositories', repositoryAt, (after) => repositories.list({ registryId, visible: all, prefix: '', state: undefined, after, limit })],
    [
      'repositories of a key of some',
      undefined,
      () => repositories.list({ registryId, visible: some, prefix: '', state: undefined, after: undefined, limit }),
    ],
    [
      'repositories that are gone',
      undefined,
      () => repositories.list({ registryId, visible: all, prefix: '', state: 'gone', after: undefined, limit }),
    ],
    ['tags', tagAt, (after) => tags.list({ repositoryId: large, prefix: '', withReserved: false, after, limit })],
    ['tags with reserved ones', tagAt, (after) => tags.list({ repositoryId: large, prefix: '', withReserved: true, after, limit })],
    ['tags that begin so', undefined, () => tags.list({ repositoryId: large, prefix: 'v9', withReserved: false, after: undefined, limit })],
    ['history of a tag', eventAt, (before) => tags.history({ registryId, repository, tag: 'main', before, limit })],
    ...['all', 'tagged', 'untagged'].map((state) => [
      `manifests, ${state}`,
      digestAt,
      (after) => manifests.list({ registryId, repositoryId: large, repository, state, after, limit }),
    ]),
    ['manifests that cannot be read', undefined, () => repositories.unreadable(large, 20)],
    ['crawls', crawlAt, (before) => crawls.list(registryId, { before, limit })],
    ['search repositories', repositoryIdAt, (after) => search.repositories({ ...scope, repository: '*', after })],
    [
      'search repositories, key of some',
      undefined,
      () => search.repositories({ ...scope, visible: some, repository: '*', after: undefined }),
    ],
    ['search a tag of all repositories', latestAt, (after) => search.tags({ ...scope, tag: 'latest', after })],
    ['search tags that begin so', undefined, () => search.tags({ ...scope, tag: 'v9*', after: undefined })],
    ['search a tag in repositories', teamAt, (after) => search.tags({ ...scope, repository: 'team-*', tag: 'latest', after })],
    ['search an annotation of all', digestAt, (after) => search.artifacts({ ...scope, ...nothing, annotation: team, after })],
    [
      'search an annotation of one',
      undefined,
      () => search.artifacts({ ...scope, ...nothing, annotation: { key: 'build', value: '7' }, after: undefined }),
    ],
    [
      'search an annotation of all with a tag',
      undefined,
      () => search.artifacts({ ...scope, ...nothing, annotation: team, tag: 'v7', after: undefined }),
    ],
    ['search a digest', undefined, () => search.artifacts({ ...scope, ...nothing, digest: 'sha256:6b86b273ff34', after: undefined })],
    ['search what begins so', digestAt, (after) => search.artifacts({ ...scope, ...nothing, digest: '', after })],
    [
      'search what begins so, key of some',
      undefined,
      () => search.artifacts({ ...scope, ...nothing, visible: some, digest: 'sha256:8', after: undefined }),
    ],
  ];
  const reads = [];
  for (const [name, positionAt, read] of pages) {
    reads.push([`${name}, first page`, () => count(read(undefined))]);
    if (positionAt === undefined) continue;
    const [middle, last] = [await positionAt(0.5), await positionAt(1 - (limit + 1) / rows)];
    reads.push([`${name}, middle page`, () => count(read(middle))], [`${name}, last page`, () => count(read(last))]);
  }
  return reads;
}

async function cell(admin, sql, offset) {
  const { rows } = await admin.query({ text: `${sql} OFFSET ${offset} LIMIT 1`, rowMode: 'array' });
  return rows[0][0];
}

async function count(page) {
  const found = await page;
  return (found.rows ?? found).length;
}
