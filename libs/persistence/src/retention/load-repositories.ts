import type { Database } from '../database.js';

/** Repositories of a registry that are not known to be gone, by name, after the one named. */
export async function loadRepositories(
  database: Database,
  registryId: string,
  { after, limit }: { readonly after: string; readonly limit: number },
): Promise<string[]> {
  const rows = await database.tables.$queryRaw<{ name: string }[]>`
    SELECT name FROM repository WHERE registry_id = ${registryId}::uuid AND gone_at IS NULL AND name > ${after} ORDER BY name LIMIT ${limit}`;
  return rows.map(({ name }) => name);
}

/** Manifests that are read together; a repository with more is read alone. */
const manifestsTogether = 4_000;

/** The repositories in their order, in groups that are small enough to be held at once. */
export async function groupRepositories(database: Database, registryId: string, repositories: readonly string[]): Promise<string[][]> {
  const rows = await database.tables.$queryRaw<{ repository: string; count: bigint }[]>`
    SELECT repository, count(*) AS count FROM placement
    WHERE registry_id = ${registryId}::uuid AND repository = ANY(${[...repositories]}::text[]) AND seen_until IS NULL GROUP BY repository`;
  const counts = new Map(rows.map(({ repository, count }) => [repository, Number(count)]));
  const groups: string[][] = [];
  let room = 0;
  for (const repository of repositories) {
    const count = counts.get(repository) ?? 0;
    const group = groups.at(-1);
    if (group === undefined || count > room) {
      groups.push([repository]);
      room = manifestsTogether;
    } else {
      group.push(repository);
    }
    room -= count;
  }
  return groups;
}
