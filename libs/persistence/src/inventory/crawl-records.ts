import type { CrawlCount, CrawlKind, CrawlRecords, ListedFrom, LookEnd, Problem, QueuedRepository } from '@waybill/inventory';
import type { RepositoryName } from '@waybill/oci-model';
import type { Database, Tables } from '../database.js';
import { storableJson } from '../registry-checks/storable-json.js';
import type { Turns } from '../run/turns.js';
import { type CrawlLease, underCrawlLease } from './crawl-lease.js';
import { RepositoryRecordsStore } from './repository-records.js';

/** Sums of a crawl, of all of its workers. What a worker counted after its last write died with it. */
export interface CrawlTally {
  /** By method. */
  readonly requests: Record<string, number>;
  readonly found: Record<string, number>;
}

/** A crawl whose lease is held. */
export interface HeldCrawl {
  readonly lease: CrawlLease;
  readonly kind: CrawlKind;
  readonly isListed: boolean;
  readonly registryId: string;
  readonly tally: CrawlTally;
  /** Of what the crawl asks of the database. */
  readonly turns: Turns;
}

/**
 * One crawl in PostgreSQL; what it writes is fenced by the crawl's lease.
 * Invariant: a crawl uses one connection at a time, however many repositories it looks at: the others are for promotions.
 */
export class CrawlRecordsStore implements CrawlRecords {
  readonly #database: Database;
  readonly #crawl: HeldCrawl;

  constructor(database: Database, crawl: HeldCrawl) {
    this.#database = database;
    this.#crawl = crawl;
  }

  get kind(): CrawlKind {
    return this.#crawl.kind;
  }

  get isListed(): boolean {
    return this.#crawl.isListed;
  }

  get tally(): CrawlTally {
    return this.#crawl.tally;
  }

  count(what: CrawlCount, by: number): void {
    const { found } = this.#crawl.tally;
    if (by > 0) found[what] = (found[what] ?? 0) + by;
  }

  countRequest(method: string): void {
    const { requests } = this.#crawl.tally;
    requests[method] = (requests[method] ?? 0) + 1;
  }

  async addRepositories(names: readonly RepositoryName[]): Promise<void> {
    const { lease, registryId } = this.#crawl;
    await this.#write(async (tables) => {
      await tables.$executeRaw`
        INSERT INTO repository (registry_id, name)
        SELECT ${registryId}::uuid, n.name FROM unnest(${[...names]}::text[]) AS n (name)
        WHERE NOT EXISTS (SELECT 1 FROM repository r WHERE r.registry_id = ${registryId}::uuid AND r.name = n.name)
        ORDER BY n.name
        ON CONFLICT (registry_id, name) DO NOTHING`;
      await tables.$executeRaw`
        INSERT INTO crawl_repository (crawl_id, repository_id, is_listed)
        SELECT ${lease.crawlId}::uuid, id, true FROM repository WHERE registry_id = ${registryId}::uuid AND name = ANY(${[...names]}::text[])
        ON CONFLICT DO NOTHING`;
    });
  }

  /** What is known and not gone, and places that runs have seen and promotions come from, one step in an index for each. */
  async endList(from: ListedFrom, problem: Problem | undefined): Promise<void> {
    const { lease, registryId } = this.#crawl;
    await this.#write(async (tables) => {
      await tables.$executeRaw`
        WITH RECURSIVE placed (name) AS (
          (SELECT repository FROM placement WHERE registry_id = ${registryId}::uuid ORDER BY repository LIMIT 1)
          UNION ALL
          SELECT n.repository FROM placed p CROSS JOIN LATERAL (
            SELECT repository FROM placement WHERE registry_id = ${registryId}::uuid AND repository > p.name ORDER BY repository LIMIT 1
          ) n
        ), sources (name) AS (
          (SELECT source_repository FROM promotion_item WHERE source_registry_id = ${registryId}::uuid ORDER BY source_repository LIMIT 1)
          UNION ALL
          SELECT n.source_repository FROM sources s CROSS JOIN LATERAL (
            SELECT source_repository FROM promotion_item
            WHERE source_registry_id = ${registryId}::uuid AND source_repository > s.name ORDER BY source_repository LIMIT 1
          ) n
        )
        INSERT INTO repository (registry_id, name)
        SELECT ${registryId}::uuid, name FROM (SELECT name FROM placed UNION SELECT name FROM sources) seen
        WHERE NOT EXISTS (SELECT 1 FROM repository r WHERE r.registry_id = ${registryId}::uuid AND r.name = seen.name)
        ORDER BY name
        ON CONFLICT (registry_id, name) DO NOTHING`;
      await tables.$executeRaw`
        INSERT INTO crawl_repository (crawl_id, repository_id, is_listed)
        SELECT ${lease.crawlId}::uuid, id, false FROM repository WHERE registry_id = ${registryId}::uuid AND state <> 'gone'
        ON CONFLICT DO NOTHING`;
      await tables.$executeRaw`
        UPDATE crawl SET listed_at = now(), listed_from = ${from}, problem = ${problem === undefined ? null : storableJson(problem)}::jsonb
        WHERE id = ${lease.crawlId}::uuid`;
    });
  }

  async next(after: bigint, limit: number): Promise<readonly QueuedRepository[]> {
    const { tables } = this.#database;
    const rows = await this.#crawl.turns.take(
      () => tables.$queryRaw<{ id: bigint; name: RepositoryName; is_listed: boolean | null }[]>`
      SELECT q.repository_id AS id, r.name, CASE c.listed_from WHEN 'catalogue' THEN q.is_listed END AS is_listed
      FROM crawl_repository q JOIN repository r ON r.id = q.repository_id JOIN crawl c ON c.id = q.crawl_id
      WHERE q.crawl_id = ${this.#crawl.lease.crawlId}::uuid AND q.state = 'queued' AND q.repository_id > ${after}
      ORDER BY q.repository_id LIMIT ${limit}`,
    );
    return rows.map(({ id, name, is_listed: isListed }) => ({ id, name, isInCatalogue: isListed ?? undefined }));
  }

  repository({ id, name }: QueuedRepository): RepositoryRecordsStore {
    const { lease } = this.#crawl;
    return new RepositoryRecordsStore(this.#database, {
      ...this.#crawl,
      repositoryId: id,
      repository: name,
      hold: (tables) => underCrawlLease(tables, lease),
      ended: (tables, end) => this.#end(tables, id, end),
    });
  }

  /** Its place in the crawl, and the sums of the crawl so far. */
  async #end(tables: Tables, repositoryId: bigint, { state }: LookEnd): Promise<void> {
    const { lease, tally } = this.#crawl;
    await tables.$executeRaw`
      UPDATE crawl_repository SET state = ${state === 'unreadable' ? 'failed' : 'complete'}
      WHERE crawl_id = ${lease.crawlId}::uuid AND repository_id = ${repositoryId}`;
    await tables.$executeRaw`
      UPDATE crawl SET requests = ${storableJson(tally.requests)}::jsonb, found = ${storableJson(tally.found)}::jsonb WHERE id = ${lease.crawlId}::uuid`;
  }

  async #write(work: (tables: Tables) => Promise<void>): Promise<void> {
    const { lease, turns } = this.#crawl;
    const underLease = async (tables: Tables): Promise<void> => {
      await underCrawlLease(tables, lease);
      await work(tables);
    };
    await turns.take(() => this.#database.transaction(underLease));
  }
}
