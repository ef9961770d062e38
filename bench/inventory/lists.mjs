// Every list and search of the inventory, with where its middle and its last page begin.
import { digestFromBytes, digestOf } from '@waybill/oci-model';
import {
  InventoryCrawls,
  InventoryManifests,
  InventoryRelations,
  InventoryRepositories,
  InventorySearch,
  InventoryTags,
  VisibleRepositories,
} from '@waybill/persistence';

const registryId = '00000000-0000-7000-8000-000000000001';
const repository = 'large/app';
const limit = 50;
const visible = new VisibleRepositories(['**']);
const some = new VisibleRepositories(['team-05*/**', 'large/app']);

/** Names of pages, and functions that read them and give how many rows they hold. */
export async function lists(database, admin, rows) {
  const positions = positionsIn(admin, rows);
  const reads = relationsOf(database);
  for (const [name, positionAt, read] of [...listsOf(database, positions), ...searchesOf(database, positions)]) {
    reads.push([`${name}, first page`, () => count(read(undefined))]);
    if (positionAt === undefined) continue;
    const [middle, last] = [await positionAt(0.5), await positionAt(1 - (limit + 1) / rows)];
    reads.push([`${name}, middle page`, () => count(read(middle))], [`${name}, last page`, () => count(read(last))]);
  }
  return reads;
}

/** What stands at a share of each list. */
function positionsIn(admin, rows) {
  const large = BigInt(rows + 1);
  const at = (sql) => async (share) => {
    const asked = { text: `${sql} OFFSET ${Math.floor(share * rows)} LIMIT 1`, rowMode: 'array' };
    return (await admin.query(asked)).rows[0][0];
  };
  const numbered = (sql) => async (share) => BigInt(await at(sql)(share));
  const repositoryId = numbered(`SELECT id FROM repository ORDER BY name COLLATE "C"`);
  const tag = at(`SELECT name FROM tag WHERE repository_id = ${large} AND NOT is_reserved ORDER BY name COLLATE "C"`);
  return {
    large,
    repository: at(`SELECT name FROM repository ORDER BY name COLLATE "C"`),
    repositoryId,
    tag,
    event: numbered(`SELECT id FROM tag_event ORDER BY id DESC`),
    crawl: at(`SELECT id FROM crawl ORDER BY id DESC`),
    digest: async (share) => digestFromBytes(await at(`SELECT digest FROM manifest ORDER BY digest`)(share)),
    latest: (share) => ({ tag: 'latest', repositoryId: BigInt(Math.floor(share * rows)) }),
    latestByName: async (share) => ({ tag: 'latest', repositoryId: await repositoryId(share) }),
    inLarge: async (share) => ({ tag: await tag(share), repositoryId: large }),
  };
}

function listsOf(database, { large, ...at }) {
  const [repositories, tags] = [new InventoryRepositories(database), new InventoryTags(database)];
  const [manifests, crawls] = [new InventoryManifests(database), new InventoryCrawls(database)];
  const ofAll = { registryId, visible, prefix: '', state: undefined, after: undefined, limit };
  const ofLarge = { repositoryId: large, prefix: '', withReserved: false, after: undefined, limit };
  return [
    ['repositories', at.repository, (after) => repositories.list({ ...ofAll, after })],
    ['repositories of a key of some', undefined, () => repositories.list({ ...ofAll, visible: some })],
    ['repositories that are gone', undefined, () => repositories.list({ ...ofAll, state: 'gone' })],
    ['tags', at.tag, (after) => tags.list({ ...ofLarge, after })],
    ['tags with reserved ones', at.tag, (after) => tags.list({ ...ofLarge, withReserved: true, after })],
    ['tags that begin so', undefined, () => tags.list({ ...ofLarge, prefix: 'v9' })],
    ['history of a tag', at.event, (before) => tags.history({ registryId, repository, tag: 'main', before, limit })],
    ...['all', 'tagged', 'untagged'].map((state) => [
      `manifests, ${state}`,
      at.digest,
      (after) => manifests.list({ registryId, repositoryId: large, repository, state, after, limit }),
    ]),
    ['manifests that cannot be read', undefined, () => repositories.unreadable(large, 20)],
    ['crawls', at.crawl, (before) => crawls.list(registryId, { before, limit })],
  ];
}

function searchesOf(database, at) {
  const search = new InventorySearch(database);
  const scope = { registries: [registryId], visible, repository: undefined, after: undefined, limit };
  const artifacts = (terms) => search.artifacts({ ...scope, annotation: undefined, digest: undefined, tag: undefined, ...terms });
  const annotation = { key: 'team', value: 'a' };
  return [
    ['search repositories', at.repositoryId, (after) => search.repositories({ ...scope, repository: '*', after })],
    ['search repositories, key of some', undefined, () => search.repositories({ ...scope, visible: some, repository: '*' })],
    ['search a tag of all repositories', at.latest, (after) => search.tags({ ...scope, tag: 'latest', after })],
    ['search tags that begin so', at.latest, (after) => search.tags({ ...scope, tag: 'la*', after })],
    ['search tags that begin so, all of one repository', undefined, () => search.tags({ ...scope, tag: 'v9*' })],
    ['search a tag in repositories', at.latestByName, (after) => search.tags({ ...scope, repository: 'team-*', tag: 'latest', after })],
    ['search tags of a repository', at.inLarge, (after) => search.tags({ ...scope, repository, tag: 'v*', after })],
    ['search an annotation of all', at.digest, (after) => artifacts({ annotation, after })],
    ['search an annotation of one', undefined, () => artifacts({ annotation: { key: 'build', value: '7' } })],
    ['search an annotation of all with a tag', undefined, () => artifacts({ annotation, tag: 'v7' })],
    ['search a digest', undefined, () => artifacts({ digest: 'sha256:6b86b273ff34' })],
    ['search what begins so', at.digest, (after) => artifacts({ digest: '', after })],
    ['search what begins so, key of some', undefined, () => artifacts({ visible: some, digest: 'sha256:8' })],
  ];
}

function relationsOf(database) {
  const relations = new InventoryRelations(database);
  const named = Object.entries({ 1: 'an artifact that all others refer to', 7: 'an artifact', base: 'a blob of all artifacts' });
  return named.map(([content, name]) => [name, () => count(related(relations, digestOf(Buffer.from(content))))]);
}

async function related(relations, digest) {
  const { blobs, referrers } = await relations.read(digest, { registries: [registryId], visible });
  return [...blobs, ...referrers];
}

async function count(page) {
  const found = await page;
  return (found.rows ?? found).length;
}
