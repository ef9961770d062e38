import type { CrawlKind, ListedFrom } from '@waybill/inventory';
import type { Database } from '../database.js';
import { Prisma } from '../generated/client.js';
import type { StoredError } from '../run/stored-error.js';

export type CrawlState = 'queued' | 'running' | 'complete' | 'partial' | 'failed';

/** A crawl of a registry, as far as it has come. */
export interface InventoryCrawl {
  readonly id: string;
  readonly registry: string;
  readonly kind: CrawlKind;
  readonly state: CrawlState;
  readonly location: string;
  /** Undefined when its time had come. */
  readonly requestedBy: string | undefined;
  readonly requestedAt: Date;
  readonly startedAt: Date | undefined;
  readonly finishedAt: Date | undefined;
  /** When its list of repositories was complete, and where that is from. */
  readonly listedAt: Date | undefined;
  readonly listedFrom: ListedFrom | undefined;
  readonly requests: Readonly<Record<string, number>>;
  readonly found: Readonly<Record<string, number>>;
  readonly problem: Pick<StoredError, 'code' | 'message'> | undefined;
  /** Repositories that are known to be left, up to `maxLeft`; 0 of a crawl that is over. */
  readonly left: number;
}

/** Repositories left are counted so far and no further: the list of an open crawl is as long as the registry's. */
export const maxLeft = 10_000;

/** Crawls of registries, as they are read. */
export class InventoryCrawls {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async get(id: string): Promise<InventoryCrawl | undefined> {
    return (await this.#read(Prisma.sql`c.id = ${id}::uuid`, 1))[0];
  }

  /** Of one registry, the newest first: ids sort by the time they were made. */
  async list(registryId: string, page: { readonly before: string | undefined; readonly limit: number }): Promise<InventoryCrawl[]> {
    const earlier = page.before === undefined ? Prisma.empty : Prisma.sql`AND c.id < ${page.before}::uuid`;
    return await this.#read(Prisma.sql`c.registry_id = ${registryId}::uuid ${earlier}`, page.limit);
  }

  async #read(which: Prisma.Sql, limit: number): Promise<InventoryCrawl[]> {
    const rows = await this.#database.tables.$queryRaw<CrawlRow[]>`
      SELECT c.*, r.name AS registry, CASE WHEN c.finished_at IS NULL THEN (
          SELECT count(*) FROM (
            SELECT 1 FROM crawl_repository q WHERE q.crawl_id = c.id AND q.state = 'queued' ORDER BY q.repository_id LIMIT ${maxLeft}
          ) queued
        ) ELSE 0 END AS left_over
      FROM (SELECT c.* FROM crawl c WHERE ${which} ORDER BY c.id DESC LIMIT ${limit}) c JOIN registry r ON r.id = c.registry_id
      ORDER BY c.id DESC`;
    return rows.map(toCrawl);
  }
}

interface CrawlRow {
  readonly id: string;
  readonly registry: string;
  readonly kind: CrawlKind;
  readonly state: CrawlState;
  readonly location: string;
  readonly requested_by: string | null;
  readonly requested_at: Date;
  readonly started_at: Date | null;
  readonly finished_at: Date | null;
  readonly listed_at: Date | null;
  readonly listed_from: ListedFrom | null;
  readonly requests: Readonly<Record<string, number>>;
  readonly found: Readonly<Record<string, number>>;
  readonly problem: Pick<StoredError, 'code' | 'message'> | null;
  readonly left_over: bigint;
}

function toCrawl(row: CrawlRow): InventoryCrawl {
  return {
    id: row.id,
    registry: row.registry,
    kind: row.kind,
    state: row.state,
    location: row.location,
    requestedBy: row.requested_by ?? undefined,
    requestedAt: row.requested_at,
    startedAt: row.started_at ?? undefined,
    finishedAt: row.finished_at ?? undefined,
    listedAt: row.listed_at ?? undefined,
    listedFrom: row.listed_from ?? undefined,
    requests: row.requests,
    found: row.found,
    problem: row.problem ?? undefined,
    left: Number(row.left_over),
  };
}
