import { type IdSource, uuidV7 } from '@waybill/kernel';
import type { CrawlKind } from '@waybill/inventory';
import { type IdempotentRequest, storeAnswer, type StoredAnswer } from '../access/idempotency-keys.js';
import { type Database, rollBack, type Tables, undefinedWhenRolledBack } from '../database.js';
import { Prisma } from '../generated/client.js';
import { notify } from '../notify.js';

/** How often a registry is crawled, and from where. */
export interface CrawledRegistry {
  readonly name: string;
  readonly location: string;
  readonly quickMs: number;
  readonly fullMs: number;
}

/** A crawl that is asked for. */
export interface CrawlRequest {
  readonly registry: string;
  readonly kind: CrawlKind;
  readonly requestedBy: string;
}

/** The claim of a request for a crawl, which is completed with the answer. */
export interface ClaimedCrawl {
  readonly request: IdempotentRequest;
  readonly token: string;
  readonly answerOf: (crawl: RequestedCrawl) => StoredAnswer;
}

/** A crawl that was asked for, or the one that was open already. */
export interface RequestedCrawl {
  readonly id: string;
  readonly kind: CrawlKind;
  readonly isNew: boolean;
}

/** A registry that is new is looked at soon, and not while everything else begins to work for the first time. */
const firstAfter = '5 minutes';

/** When registries are crawled. The one place where a due time is claimed and the next one is set. */
export class CrawlSchedules {
  readonly #database: Database;
  readonly #ids: IdSource;

  constructor(database: Database, ids: IdSource = uuidV7) {
    this.#database = database;
    this.#ids = ids;
  }

  /** Makes the schedules what the topology says; one that stays as it is keeps its due time. */
  async declare(registries: readonly CrawledRegistry[]): Promise<void> {
    const wanted = Prisma.sql`
      wanted AS (
        SELECT r.id AS registry_id, k.kind, w.location, CASE k.kind WHEN 'full' THEN w."fullMs" ELSE w."quickMs" END * interval '1 millisecond' AS every
        FROM jsonb_to_recordset(${JSON.stringify(registries)}::jsonb) AS w (name text, location text, "quickMs" float8, "fullMs" float8)
          JOIN registry r ON r.name = w.name AND r.replaced_at IS NULL CROSS JOIN (VALUES ('full'), ('quick')) AS k (kind)
      )`;
    await this.#database.tables.$executeRaw`
      WITH ${wanted}, gone AS (
        DELETE FROM crawl_schedule s WHERE NOT EXISTS (SELECT 1 FROM wanted w WHERE w.registry_id = s.registry_id)
      )
      INSERT INTO crawl_schedule AS s (registry_id, kind, location, every, next_due_at)
      SELECT registry_id, kind, location, every, now() + CASE kind WHEN 'full' THEN least(every, ${firstAfter}::interval) ELSE every END
      FROM wanted ORDER BY registry_id, kind
      ON CONFLICT (registry_id, kind) DO UPDATE
        SET location = excluded.location, every = excluded.every, next_due_at = least(s.next_due_at, now() + excluded.every)
        WHERE (s.location, s.every) IS DISTINCT FROM (excluded.location, excluded.every)`;
  }

  /**
   * Begins the crawl of one registry at these locations whose time has come and which is not being crawled; false when
   * there is none. A full crawl does what a quick one would, so it takes its turn too. Ticks missed are caught up once.
   */
  async beginDue(locations: readonly string[] | 'all'): Promise<boolean> {
    const at = locations === 'all' ? Prisma.sql`true` : Prisma.sql`s.location = ANY(${[...locations]}::text[])`;
    const begun = await this.#database.tables.$queryRaw<object[]>`
      WITH due AS (
        SELECT s.registry_id, s.kind, s.location FROM crawl_schedule s JOIN registry r ON r.id = s.registry_id
        WHERE s.next_due_at <= now() AND r.replaced_at IS NULL AND ${at}
          AND NOT EXISTS (SELECT 1 FROM crawl c WHERE c.registry_id = s.registry_id AND c.finished_at IS NULL)
        ORDER BY s.kind, s.next_due_at, s.registry_id LIMIT 1 FOR UPDATE OF s SKIP LOCKED
      ), begun AS (
        INSERT INTO crawl (id, registry_id, location, kind, state)
        SELECT ${this.#ids.next()}::uuid, registry_id, location, kind, 'queued' FROM due
        ON CONFLICT (registry_id) WHERE finished_at IS NULL DO NOTHING
        RETURNING registry_id, kind
      ), moved AS (
        UPDATE crawl_schedule s SET next_due_at = now() + s.every
        FROM begun b WHERE s.registry_id = b.registry_id AND (s.kind = b.kind OR b.kind = 'full')
      )
      SELECT kind FROM begun`;
    return begun.length > 0;
  }

  /**
   * Asks for a crawl now. Where one is open that is the answer, whatever its kind: one at a time.
   * Undefined where the registry is none that is crawled.
   */
  async request(asked: CrawlRequest): Promise<RequestedCrawl | undefined> {
    return await this.#database.transaction((tables) => this.#open(tables, asked));
  }

  /**
   * As `request`, in one transaction with the answer to the request; `taken-over`, and nothing done, when the request's claim
   * was taken over meanwhile.
   */
  async requestClaimed(asked: CrawlRequest, claimed: ClaimedCrawl): Promise<StoredAnswer | 'taken-over' | undefined> {
    const answered = this.#database.transaction(async (tables) => {
      const crawl = await this.#open(tables, asked);
      if (crawl === undefined) return undefined;
      const answer = claimed.answerOf(crawl);
      if (!(await storeAnswer(tables, claimed.request, claimed.token, answer))) rollBack();
      return answer;
    });
    return await answered.catch((error: unknown) => {
      undefinedWhenRolledBack(error);
      return 'taken-over' as const;
    });
  }

  async #open(tables: Tables, { registry, kind, requestedBy }: CrawlRequest): Promise<RequestedCrawl | undefined> {
    const id = this.#ids.next();
    await tables.$executeRaw`
      INSERT INTO crawl (id, registry_id, location, kind, state, requested_by)
      SELECT ${id}::uuid, s.registry_id, s.location, s.kind, 'queued', ${requestedBy}::uuid
      FROM crawl_schedule s JOIN registry r ON r.id = s.registry_id
      WHERE r.name = ${registry} AND r.replaced_at IS NULL AND s.kind = ${kind}
      ON CONFLICT (registry_id) WHERE finished_at IS NULL DO NOTHING`;
    const [open] = await tables.$queryRaw<{ id: string; kind: CrawlKind }[]>`
      SELECT c.id, c.kind FROM crawl c JOIN registry r ON r.id = c.registry_id
      WHERE r.name = ${registry} AND r.replaced_at IS NULL AND c.finished_at IS NULL`;
    if (open === undefined) return undefined;
    await notify(tables, 'crawl');
    return { ...open, isNew: open.id === id };
  }
}
