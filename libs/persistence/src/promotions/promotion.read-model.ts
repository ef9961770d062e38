import type { Database, Tables } from '../database.js';
import type { Prisma } from '../generated/client.js';
import { matchesFilter, nextIds, type PromotionFilter, type PromotionPage } from './promotion-filter.js';

const detail = {
  cancellation: true,
  items: {
    orderBy: { position: 'asc' },
    include: {
      sourceRegistry: { select: { name: true } },
      targets: {
        orderBy: { id: 'asc' },
        include: { registry: { select: { name: true } }, pause: true, tags: { orderBy: { tag: 'asc' } } },
      },
    },
  },
} as const satisfies Prisma.PromotionInclude;

/** A promotion with everything below it, as rows. */
export type PromotionDetail = Prisma.PromotionGetPayload<{ include: typeof detail }> & {
  /** Locations whose work is for any worker to take, and since when it is. */
  readonly untaken: ReadonlyMap<string, Date>;
};

const summary = {
  id: true,
  path: true,
  revision: true,
  state: true,
  requestedBy: true,
  externalRef: true,
  reason: true,
  requestedAt: true,
  finishedAt: true,
  items: { select: { sourceRepository: true, sourceTag: true, digest: true }, orderBy: { position: 'asc' } },
} as const satisfies Prisma.PromotionSelect;

export type PromotionSummaryRow = Prisma.PromotionGetPayload<{ select: typeof summary }>;

/** A promotion that was looked at for a list. */
export interface PromotionCandidate {
  readonly id: string;
  /** Undefined for one that the filter does not mean. */
  readonly summary: PromotionSummaryRow | undefined;
}

/** What grants are asked about: whoever may not read the path or one of the repositories may not read the promotion. */
export interface PromotionScope {
  readonly path: string;
  readonly repositories: readonly string[];
}

/** A promotion as it is, inside the caller's transaction or outside of any. */
export async function readPromotion(tables: Tables, id: string): Promise<PromotionDetail | undefined> {
  const row = await tables.promotion.findUnique({ where: { id }, include: detail });
  return row === null ? undefined : { ...row, untaken: await untakenLocations(tables, id) };
}

async function untakenLocations(tables: Tables, promotionId: string): Promise<ReadonlyMap<string, Date>> {
  const rows = await tables.$queryRaw<{ location: string; since: Date }[]>`
    SELECT location, queued_at AS since FROM dispatch
    WHERE promotion_id = ${promotionId}::uuid AND state = 'queued' AND queued_at <= now()`;
  return new Map(rows.map(({ location, since }) => [location, since]));
}

/** Answers questions about promotions. */
export class PromotionReadModel {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  get(id: string): Promise<PromotionDetail | undefined> {
    return readPromotion(this.#database.tables, id);
  }

  /**
   * The promotions that come next, newest first; ids sort by the time they were made. Of a filter with several parts some
   * that it does not mean are among them, without a summary, so that reading stays bounded: fewer than `limit` are the last.
   */
  async list(page: PromotionPage, filter: PromotionFilter = {}): Promise<PromotionCandidate[]> {
    const { tables } = this.#database;
    const next = await tables.$queryRaw<{ id: string; matches: boolean }[]>`
      WITH next AS (${nextIds(filter, page)})
      SELECT p.id, ${matchesFilter(filter)} AS matches FROM next JOIN promotion p ON p.id = next.id ORDER BY p.id DESC`;
    const meant = next.flatMap(({ id, matches }) => (matches ? [id] : []));
    const rows = await tables.promotion.findMany({ where: { id: { in: meant } }, select: summary });
    const summaries = new Map(rows.map((row) => [row.id, row]));
    return next.map(({ id }) => ({ id, summary: summaries.get(id) }));
  }

  /** Has it ended, and is no target of it, replicas included, under way? */
  async isSettled(id: string): Promise<boolean> {
    const [row] = await this.#database.tables.$queryRaw<{ settled: boolean }[]>`
      SELECT finished_at IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM item_target t WHERE t.promotion_id = p.id AND t.state <> 'done') AS settled
      FROM promotion p WHERE id = ${id}::uuid`;
    return row?.settled ?? false;
  }

  /** The scopes of promotions, by id; unknown ids are left out. */
  async scopes(ids: ReadonlySet<string>): Promise<ReadonlyMap<string, PromotionScope>> {
    if (ids.size === 0) return new Map();
    const rows = await this.#database.tables.promotion.findMany({
      where: { id: { in: [...ids] } },
      select: { id: true, path: true, items: { select: { sourceRepository: true } } },
    });
    return new Map(rows.map(({ id, path, items }) => [id, { path, repositories: items.map((item) => item.sourceRepository) }]));
  }
}
