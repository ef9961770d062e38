import type { CrawlFailure, CrawlKind } from '@waybill/inventory';
import type { Database } from '../database.js';
import { Prisma } from '../generated/client.js';
import { storableJson } from '../registry-checks/storable-json.js';
import { Turns } from '../run/turns.js';
import { type CrawlLease, crawlLost, heldCrawl } from './crawl-lease.js';
import { CrawlRecordsStore, type CrawlTally } from './crawl-records.js';

/** What a worker needs to crawl. */
export interface LoadedCrawl {
  readonly registry: string;
  /** Where a local registry listens now. */
  readonly address: string | undefined;
  /** Its name means another registry by now, or none. */
  readonly isReplaced: boolean;
  readonly kind: CrawlKind;
  readonly records: CrawlRecordsStore;
}

/** A crawl over which this many workers died is not tried again: the next one has its own time. */
const maxAttempts = 5;
/** Crawls are kept so long, to be shown. */
const keptFor = '30 days';

/** Brings each crawl to one worker, and keeps how it ended. */
export class CrawlLeases {
  readonly #database: Database;
  readonly #leaseMs: number;

  constructor(database: Database, options: { readonly leaseMs: number }) {
    this.#database = database;
    this.#leaseMs = options.leaseMs;
  }

  /** Claims the crawl that waits longest at one of these locations, also one whose worker is silent; undefined when none waits. */
  async claimNext(locations: readonly string[] | 'all', holder: string): Promise<CrawlLease | undefined> {
    const at = locations === 'all' ? Prisma.sql`true` : Prisma.sql`location = ANY(${[...locations]}::text[])`;
    await this.#giveUpHopeless();
    const [row] = await this.#database.tables.$queryRaw<{ id: string; lease_fence: bigint }[]>`
      UPDATE crawl SET state = 'running', started_at = coalesce(started_at, now()), attempts = attempts + 1,
        lease_holder = ${holder}, lease_fence = lease_fence + 1, lease_expires_at = now() + ${this.#lease}
      WHERE id = (
        SELECT id FROM crawl WHERE finished_at IS NULL AND (state = 'queued' OR lease_expires_at < now()) AND ${at}
        ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
      )
      RETURNING id, lease_fence`;
    return row === undefined ? undefined : { crawlId: row.id, holder, fence: row.lease_fence };
  }

  /** @throws PromotionError `lease-lost` */
  async load(lease: CrawlLease): Promise<LoadedCrawl> {
    const [row] = await this.#database.tables.$queryRaw<LoadedRow[]>`
      SELECT c.kind, c.listed_at IS NOT NULL AS is_listed, c.requests, c.found, c.registry_id, r.name, r.address, r.replaced_at IS NOT NULL AS is_replaced
      FROM (SELECT * FROM crawl WHERE ${heldCrawl(lease)}) c JOIN registry r ON r.id = c.registry_id`;
    if (row === undefined) throw crawlLost(lease);
    const { kind, is_listed: isListed, registry_id: registryId, requests, found } = row;
    const crawl = { lease, kind, isListed, registryId, tally: { requests, found }, turns: new Turns() };
    return {
      registry: row.name,
      address: row.address ?? undefined,
      isReplaced: row.is_replaced,
      kind,
      records: new CrawlRecordsStore(this.#database, crawl),
    };
  }

  /** False when the lease is lost. */
  async renew(lease: CrawlLease): Promise<boolean> {
    return (await this.#update(lease, Prisma.sql`lease_expires_at = now() + ${this.#lease}`)) > 0;
  }

  /** Gives the lease up with the crawl unfinished, which is no attempt: another worker goes on at once. */
  async release(lease: CrawlLease): Promise<void> {
    await this.#update(lease, Prisma.sql`state = 'queued', lease_expires_at = NULL, attempts = attempts - 1`);
  }

  /** Ends the crawl; false, and nothing ended, when the lease is lost. */
  async finish(lease: CrawlLease, tally: CrawlTally, failure: CrawlFailure): Promise<boolean> {
    return await this.#database.transaction(async (tables) => {
      const problem = failure === undefined ? null : storableJson(failure);
      const ended = await tables.$queryRaw<{ registry_id: string }[]>`
        UPDATE crawl SET finished_at = now(), lease_expires_at = NULL,
          requests = ${storableJson(tally.requests)}::jsonb, found = ${storableJson(tally.found)}::jsonb, problem = coalesce(${problem}::jsonb, problem),
          state = CASE WHEN ${failure !== undefined} THEN 'failed'
                       WHEN EXISTS (SELECT 1 FROM crawl_repository q WHERE q.crawl_id = crawl.id AND q.state = 'failed') THEN 'partial'
                       ELSE 'complete' END
        WHERE ${heldCrawl(lease)} RETURNING registry_id`;
      if (ended.length === 0) return false;
      await tables.$executeRaw`DELETE FROM crawl_repository WHERE crawl_id = ${lease.crawlId}::uuid`;
      await tables.$executeRaw`
        DELETE FROM crawl WHERE registry_id = ANY(${ended.map((row) => row.registry_id)}::uuid[]) AND finished_at < now() - ${keptFor}::interval`;
      return true;
    });
  }

  async #update(lease: CrawlLease, changes: Prisma.Sql): Promise<number> {
    return await this.#database.tables.$executeRaw`UPDATE crawl SET ${changes} WHERE ${heldCrawl(lease)}`;
  }

  /** Also those of other locations, where there may be no worker to do it. */
  async #giveUpHopeless(): Promise<void> {
    await this.#database.tables.$executeRaw`
      WITH given_up AS (
        UPDATE crawl SET state = 'failed', finished_at = now(), lease_expires_at = NULL, problem = ${workersDied}::jsonb
        WHERE state = 'running' AND lease_expires_at < now() AND attempts >= ${maxAttempts} AND finished_at IS NULL RETURNING id
      )
      DELETE FROM crawl_repository q USING given_up g WHERE q.crawl_id = g.id`;
  }

  get #lease(): Prisma.Sql {
    return Prisma.sql`${this.#leaseMs} * interval '1 millisecond'`;
  }
}

interface LoadedRow {
  readonly kind: CrawlKind;
  readonly is_listed: boolean;
  readonly requests: Record<string, number>;
  readonly found: Record<string, number>;
  readonly registry_id: string;
  readonly name: string;
  readonly address: string | null;
  readonly is_replaced: boolean;
}

const workersDied = storableJson({
  code: 'attempts-exhausted',
  message: `${maxAttempts} workers died while they crawled this registry: look at their logs`,
});
