import type { Digest } from '@waybill/oci-model';
import type { Database } from '../database.js';
import { Prisma } from '../generated/client.js';
import { type BoundedPage, maxLookedAt, readRanges } from './bounded-page.js';
import type { NameRange } from './name-range.js';
import { type InventoryRepository, repositoryColumns, type RepositoryRow, toRepository } from './repositories.read-model.js';
import { type ArtifactSearch, type FoundArtifact, searchArtifacts } from './search-artifacts.js';
import { isFrom, isInScope, positionAt, rangesFrom, type SearchScope } from './search-scope.js';
import { type FoundTag, searchTags, type TagPosition, type TagSearch } from './search-tags.js';

export interface RepositorySearch extends SearchScope {
  /** Id of the repository after which the page begins. */
  readonly after: bigint | undefined;
  readonly limit: number;
}

/** Finds what the inventory has, in all registries. Every search looks at a bounded number of rows for one page. */
export class InventorySearch {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Repositories, by name and registry. */
  async repositories(search: RepositorySearch): Promise<BoundedPage<InventoryRepository, bigint>> {
    const { tables } = this.#database;
    const { after, limit } = search;
    const scoped = { registry: Prisma.sql`r.registry_id`, name: Prisma.sql`r.name` };
    const position = await positionAt(tables, after);
    return await readRanges<NameRange, InventoryRepository, bigint>(rangesFrom(search, position), limit, (range, left) => {
      const lookedAt = Prisma.sql`FROM repository r WHERE ${isFrom(range, position, '>')} ORDER BY r.name COLLATE "C", r.registry_id`;
      return {
        limit: left,
        read: async (count) => {
          const rows = await tables.$queryRaw<RepositoryRow[]>`
            SELECT ${repositoryColumns} FROM (SELECT r.* ${lookedAt} LIMIT ${maxLookedAt}) r
            WHERE ${isInScope(search, scoped)} ORDER BY r.name COLLATE "C", r.registry_id LIMIT ${count}`;
          return rows.map(toRepository);
        },
        positionOf: ({ id }) => id,
        lastLookedAt: async () => {
          const [row] = await tables.$queryRaw<{ id: bigint }[]>`SELECT r.id ${lookedAt} OFFSET ${maxLookedAt - 1} LIMIT 1`;
          return row?.id;
        },
      };
    });
  }

  async tags(search: TagSearch): Promise<BoundedPage<FoundTag, TagPosition>> {
    return await searchTags(this.#database.tables, search);
  }

  async artifacts(search: ArtifactSearch): Promise<BoundedPage<FoundArtifact, Digest>> {
    return await searchArtifacts(this.#database.tables, search);
  }
}
