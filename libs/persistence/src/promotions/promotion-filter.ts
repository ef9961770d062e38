import type { Digest } from '@waybill/oci-model';
import type { PromotionState } from '@waybill/promotion';
import { Prisma } from '../generated/client.js';

/** What promotions of a list have in common; what is absent is not asked. */
export interface PromotionFilter {
  readonly state?: PromotionState;
  readonly path?: string;
  /** Source or target of one of its items. */
  readonly repository?: string;
  /** Root of one of its items. */
  readonly digest?: Digest;
  /** Written at a target, or what an item was asked for by. */
  readonly tag?: string;
  /** Principal that asked for it. */
  readonly requestedBy?: string;
  /** From this moment on. */
  readonly requestedAfter?: Date;
  /** Before this moment. */
  readonly requestedBefore?: Date;
}

export interface PromotionPage {
  /** Promotions older than this one. */
  readonly before?: string;
  readonly limit: number;
}

/**
 * Ids hold the time of the clock that made them, `requested_at` that of the database a moment later.
 * A clock that is wrong by more than this is refused by every peer that speaks TLS.
 */
const clockSlackMs = 3_600_000;
const lastId = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/**
 * Selects the ids that come next by the one filter that leaves the fewest, read from an index in the order
 * of ids; the others are asked of these rows alone (`matchesFilter`). So a page costs what it shows and never what the
 * tables hold, whatever is combined.
 */
export function nextIds(filter: PromotionFilter, { before = lastId, limit }: PromotionPage): Prisma.Sql {
  const [from, until] = idsBetween(filter);
  const below = until < before ? until : before;
  const term = narrowestTerm(filter);
  if (term !== undefined) {
    return Prisma.sql`
      SELECT promotion_id AS id FROM promotion_term
      WHERE kind = ${term.kind} AND term = ${term.word} AND promotion_id >= ${from}::uuid AND promotion_id < ${below}::uuid
      ORDER BY promotion_id DESC LIMIT ${limit}`;
  }
  return Prisma.sql`
    SELECT id FROM promotion
    WHERE id >= ${from}::uuid AND id < ${below}::uuid ${ownColumns(filter)}
    ORDER BY id DESC LIMIT ${limit}`;
}

/** Whether the promotion `p` is what the filter means, all of it. */
export function matchesFilter(filter: PromotionFilter): Prisma.Sql {
  const { state, path, requestedBy, requestedAfter, requestedBefore } = filter;
  const conditions = [
    ...(state === undefined ? [] : [Prisma.sql`p.state = ${state}`]),
    ...(path === undefined ? [] : [Prisma.sql`p.path = ${path}`]),
    ...(requestedBy === undefined ? [] : [Prisma.sql`p.requested_by = ${requestedBy}::uuid`]),
    ...(requestedAfter === undefined ? [] : [Prisma.sql`p.requested_at >= ${requestedAfter}::timestamptz`]),
    ...(requestedBefore === undefined ? [] : [Prisma.sql`p.requested_at < ${requestedBefore}::timestamptz`]),
    ...termsOf(filter).map(
      ({ kind, word }) =>
        Prisma.sql`EXISTS (SELECT 1 FROM promotion_term t WHERE t.kind = ${kind} AND t.term = ${word} AND t.promotion_id = p.id)`,
    ),
  ];
  return conditions.length === 0 ? Prisma.sql`true` : Prisma.join(conditions, ' AND ');
}

/** Of two columns one is chosen here rather than by the planner, which would join two indexes and sort; path and state have one of their own. */
function ownColumns({ requestedBy, state, path }: PromotionFilter): Prisma.Sql {
  if (requestedBy !== undefined) return Prisma.sql`AND requested_by = ${requestedBy}::uuid`;
  const ofState = state === undefined ? Prisma.empty : Prisma.sql`AND state = ${state}`;
  return path === undefined ? ofState : Prisma.sql`${ofState} AND path = ${path}`;
}

interface Term {
  readonly kind: 'digest' | 'tag' | 'repository';
  readonly word: string;
}

/** The narrowest first: a digest is promoted a few times, a repository with every release. */
function termsOf({ digest, tag, repository }: PromotionFilter): Term[] {
  return [
    ...(digest === undefined ? [] : [{ kind: 'digest', word: digest } as const]),
    ...(tag === undefined ? [] : [{ kind: 'tag', word: tag } as const]),
    ...(repository === undefined ? [] : [{ kind: 'repository', word: repository } as const]),
  ];
}

function narrowestTerm(filter: PromotionFilter): Term | undefined {
  return termsOf(filter)[0];
}

function idsBetween({ requestedAfter, requestedBefore }: PromotionFilter): [from: string, until: string] {
  return [
    firstIdAt(requestedAfter === undefined ? 0 : requestedAfter.getTime() - clockSlackMs),
    requestedBefore === undefined ? lastId : firstIdAt(requestedBefore.getTime() + clockSlackMs),
  ];
}

/** UUID version 7 begins with 48 bits of milliseconds since 1970 (RFC 9562, section 5.7). */
function firstIdAt(ms: number): string {
  const time = BigInt(Math.max(0, Math.min(ms, 2 ** 48 - 1)))
    .toString(16)
    .padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`;
}
