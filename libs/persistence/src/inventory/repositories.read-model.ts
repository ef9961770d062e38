import type { RepositoryState } from '@waybill/inventory';
import type { RepositoryName } from '@waybill/oci-model';
import type { Database } from '../database.js';
import { Prisma } from '../generated/client.js';
import type { StoredError } from '../run/stored-error.js';
import { type BoundedPage, maxLookedAt, readRanges } from './bounded-page.js';
import { intersection, isWithin, type NameRange, rangeOfPrefix } from './name-range.js';
import type { VisibleRepositories } from './visible-repositories.js';

/** A repository as it was seen last. */
export interface InventoryRepository {
  readonly id: bigint;
  readonly registryId: string;
  readonly name: RepositoryName;
  readonly state: RepositoryState;
  /** Since when it is in this state. */
  readonly since: Date;
  /** What the last look at it met. */
  readonly problem: Pick<StoredError, 'code' | 'message'> | undefined;
  readonly firstSeenAt: Date;
  /** When its tags were last listed with success. */
  readonly listedAt: Date | undefined;
  readonly quickCrawlAt: Date | undefined;
  /** Of the last full crawl of it that was complete. */
  readonly fullCrawlAt: Date | undefined;
  readonly fullCrawlStartedAt: Date | undefined;
  /** As of the last crawl of it; reserved tags are not counted. */
  readonly tags: number;
  readonly manifests: number;
  readonly unreadableManifests: number;
}

export interface RepositoryList {
  readonly registryId: string;
  readonly visible: VisibleRepositories;
  /** How names begin; all when empty. */
  readonly prefix: string;
  readonly state: RepositoryState | undefined;
  /** The name after which the page begins. */
  readonly after: string | undefined;
  readonly limit: number;
}

/** A manifest that is named in a repository and cannot be read there. */
export interface UnreadableManifest {
  readonly digest: Uint8Array;
  readonly problem: Pick<StoredError, 'code' | 'message'>;
  readonly since: Date;
  readonly triedAt: Date;
}

/** Repositories as the inventory has them. An error never made one empty: what was seen before stays, and its state says why. */
export class InventoryRepositories {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async get(registryId: string, name: RepositoryName): Promise<InventoryRepository | undefined> {
    const rows = await this.#database.tables.$queryRaw<RepositoryRow[]>`
      SELECT ${repositoryColumns} FROM repository r WHERE r.registry_id = ${registryId}::uuid AND r.name = ${name}`;
    return rows.map(toRepository)[0];
  }

  /** Of one registry, by name. */
  async list(list: RepositoryList): Promise<BoundedPage<InventoryRepository, string>> {
    const { tables } = this.#database;
    const ranges = list.visible.ranges.flatMap((range) => intersection(range, rangeOfPrefix(list.prefix)) ?? []);
    const isOf = list.state === undefined ? Prisma.empty : Prisma.sql`AND r.state = ${list.state}`;
    return await readRanges<NameRange, InventoryRepository, string>(ranges, list.limit, (range, limit) => ({
      limit,
      read: async (count) => {
        const rows = await tables.$queryRaw<RepositoryRow[]>`
          SELECT ${repositoryColumns} FROM (SELECT c.* ${lookedAt(range, list)} LIMIT ${maxLookedAt}) r
          WHERE ${list.visible.has(Prisma.sql`r.name`)} ${isOf} ORDER BY r.name COLLATE "C" LIMIT ${count}`;
        return rows.map(toRepository);
      },
      positionOf: ({ name }) => name,
      lastLookedAt: async () => {
        const [last] = await tables.$queryRaw<{ name: string }[]>`
          SELECT c.name ${lookedAt(range, list)} OFFSET ${maxLookedAt - 1} LIMIT 1`;
        return last?.name;
      },
    }));
  }

  /** What cannot be read in a repository, by digest; at most so many. */
  async unreadable(repositoryId: bigint, limit: number): Promise<UnreadableManifest[]> {
    const rows = await this.#database.tables.$queryRaw<UnreadableRow[]>`
      SELECT digest, problem, since, tried_at FROM unreadable_manifest WHERE repository_id = ${repositoryId} ORDER BY digest LIMIT ${limit}`;
    return rows.map(({ digest, problem, since, tried_at: triedAt }) => ({ digest, problem, since, triedAt }));
  }
}

/** The registry's repositories `c` of a range, by name. */
function lookedAt(range: NameRange, { registryId, after }: RepositoryList): Prisma.Sql {
  const further = after === undefined ? Prisma.empty : Prisma.sql`AND c.name COLLATE "C" > ${after}`;
  return Prisma.sql`
    FROM repository c WHERE c.registry_id = ${registryId}::uuid AND ${isWithin(Prisma.sql`c.name`, range)} ${further} ORDER BY c.name COLLATE "C"`;
}

/** Of a row `r`. */
export const repositoryColumns = Prisma.sql`r.id, r.registry_id, r.name, r.state, r.state_since, r.problem, r.first_seen_at, r.last_listed_at,
  r.last_quick_crawl_at, r.last_full_crawl_at, r.last_full_crawl_started_at, r.tag_count, r.manifest_count, r.unreadable_manifests`;

export interface RepositoryRow {
  readonly id: bigint;
  readonly registry_id: string;
  readonly name: RepositoryName;
  readonly state: RepositoryState;
  readonly state_since: Date;
  readonly problem: Pick<StoredError, 'code' | 'message'> | null;
  readonly first_seen_at: Date;
  readonly last_listed_at: Date | null;
  readonly last_quick_crawl_at: Date | null;
  readonly last_full_crawl_at: Date | null;
  readonly last_full_crawl_started_at: Date | null;
  readonly tag_count: number;
  readonly manifest_count: number;
  readonly unreadable_manifests: number;
}

interface UnreadableRow {
  readonly digest: Uint8Array;
  readonly problem: Pick<StoredError, 'code' | 'message'>;
  readonly since: Date;
  readonly tried_at: Date;
}

export function toRepository(row: RepositoryRow): InventoryRepository {
  return {
    id: row.id,
    registryId: row.registry_id,
    name: row.name,
    state: row.state,
    since: row.state_since,
    problem: row.problem ?? undefined,
    firstSeenAt: row.first_seen_at,
    listedAt: row.last_listed_at ?? undefined,
    quickCrawlAt: row.last_quick_crawl_at ?? undefined,
    fullCrawlAt: row.last_full_crawl_at ?? undefined,
    fullCrawlStartedAt: row.last_full_crawl_started_at ?? undefined,
    tags: row.tag_count,
    manifests: row.manifest_count,
    unreadableManifests: row.unreadable_manifests,
  };
}
