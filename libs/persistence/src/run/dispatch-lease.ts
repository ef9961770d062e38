import { Prisma } from '../generated/client.js';
import { PromotionError } from '@waybill/promotion';
import type { Database, Tables } from '../database.js';
import type { DispatchMessage } from './outbox.js';
import { lockPromotion } from './settle-promotion.js';

/** The right to run one promotion at one location, until it expires. */
export interface DispatchLease {
  readonly promotionId: string;
  readonly location: string;
  readonly holder: string;
  /** Raised with every claim: what carries an older one changes nothing. */
  readonly fence: bigint;
}

/** Claims dispatches and keeps them. */
export class DispatchLeases {
  readonly #database: Database;
  readonly #leaseMs: number;

  constructor(database: Database, options: { readonly leaseMs: number }) {
    this.#database = database;
    this.#leaseMs = options.leaseMs;
  }

  /**
   * Undefined when the message's number is not the current one, another worker holds the lease,
   * or nothing is left to do: then the job is simply over. The promotion is running from the first claim on.
   */
  async claim(message: DispatchMessage, holder: string): Promise<DispatchLease | undefined> {
    const row = await this.#database.transaction(async (tables) => {
      await lockPromotion(tables, message.promotionId);
      return this.#claimRow(tables, message, holder);
    });
    return row === undefined ? undefined : { promotionId: message.promotionId, location: message.location, holder, fence: row.fence };
  }

  /** False when the lease is lost. */
  async renew(lease: DispatchLease): Promise<boolean> {
    const count = await this.#database.tables.$executeRaw`
      UPDATE dispatch SET lease_expires_at = now() + ${this.#lease}, due_at = now() + ${this.#lease} WHERE ${held(lease)}`;
    return count > 0;
  }

  /**
   * Gives the lease up with the work unfinished: another worker gets it at once, by a job of the next number. An orderly end is no
   * failure: what is under way of the targets that this run began (`begun`, their ids) gets its attempt back. What waits for
   * a retry or its prod has had its attempt, and what a dead worker had begun is not this run's to give back.
   */
  async release(lease: DispatchLease, begun: ReadonlySet<string>): Promise<void> {
    await this.#database.tables.$executeRaw`
      WITH released AS (
        UPDATE dispatch SET state = 'queued', number = number + 1, lease_expires_at = NULL, due_at = now(), queued_at = now()
        WHERE ${held(lease)} RETURNING promotion_id, location
      )
      UPDATE item_target t SET attempts = t.attempts - 1
      FROM released r
      WHERE t.promotion_id = r.promotion_id AND t.location = r.location AND t.id = ANY(${[...begun]}::uuid[])
        AND t.state NOT IN ('pending', 'done') AND t.waiting_since IS NULL AND t.attempts > 0`;
  }

  async #claimRow(tables: Tables, message: DispatchMessage, holder: string): Promise<{ readonly fence: bigint } | undefined> {
    const [row] = await tables.$queryRaw<{ fence: bigint }[]>`
      WITH claimed AS (
        UPDATE dispatch
        SET state = 'leased', lease_holder = ${holder}, lease_fence = lease_fence + 1,
            lease_expires_at = now() + ${this.#lease}, due_at = now() + ${this.#lease}
        WHERE promotion_id = ${message.promotionId}::uuid AND location = ${message.location} AND number = ${message.dispatch}
          AND (state = 'queued' OR (state = 'leased' AND lease_expires_at < now()))
        RETURNING promotion_id, lease_fence
      ), running AS (
        UPDATE promotion p SET state = 'running' FROM claimed WHERE p.id = claimed.promotion_id AND p.state IN ('requested', 'waiting')
      )
      SELECT lease_fence AS fence FROM claimed`;
    return row;
  }

  get #lease(): Prisma.Sql {
    return Prisma.sql`${this.#leaseMs} * interval '1 millisecond'`;
  }
}

/** The dispatch row, if the lease still holds. */
export function held(lease: DispatchLease): Prisma.Sql {
  return Prisma.sql`promotion_id = ${lease.promotionId}::uuid AND location = ${lease.location}
    AND lease_fence = ${lease.fence} AND state = 'leased' AND lease_expires_at > now()`;
}

/**
 * A common table expression `lease` with one row if the lease holds. It keeps the dispatch row
 * locked until the statement's transaction ends, so nobody takes over in the middle of it.
 */
export function underLease(lease: DispatchLease): Prisma.Sql {
  return Prisma.sql`lease AS (SELECT 1 FROM dispatch WHERE ${held(lease)} FOR SHARE)`;
}

/** Names the run that holds a lease, in the rows that it holds. */
export function runName({ holder, promotionId, location, fence }: DispatchLease): string {
  return `${holder} ${promotionId} ${location} ${fence}`;
}

export function leaseLost(lease: DispatchLease): PromotionError {
  return new PromotionError(`another worker took over the run at ${lease.location}`, {
    code: 'lease-lost',
    operation: 'run promotion',
    details: { promotionId: lease.promotionId, location: lease.location },
  });
}
