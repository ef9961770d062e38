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
