import type { Database } from '../database.js';
import { Prisma } from '../generated/client.js';
import type { StoredError } from '../run/stored-error.js';
import { endRun } from './end-run.js';

/** The right to carry one run on, until it expires. */
export interface RetentionLease {
  readonly runId: string;
  readonly holder: string;
  /** Raised with every claim: what carries an older one changes nothing. */
  readonly fence: bigint;
}

/** A run over which this many workers died is not tried again. */
const maxAttempts = 5;

/** Brings each run to one worker. */
export class RetentionLeases {
  readonly #database: Database;
  readonly #leaseMs: number;

  constructor(database: Database, options: { readonly leaseMs: number }) {
    this.#database = database;
    this.#leaseMs = options.leaseMs;
  }

  /** Claims the run that has waited longest to be planned, also one whose worker is silent; undefined when none waits. */
  async claimPlanning(holder: string): Promise<RetentionLease | undefined> {
    await this.#giveUpHopeless();
    const [row] = await this.#database.tables.$queryRaw<{ id: string; lease_fence: bigint }[]>`
      UPDATE retention_run u
      SET attempts = attempts + 1, started_at = coalesce(started_at, now()),
        lease_holder = ${holder}, lease_fence = lease_fence + 1, lease_expires_at = now() + ${this.#lease}
      FROM (
        SELECT id FROM retention_run
        WHERE finished_at IS NULL AND state = 'planning' AND (lease_expires_at IS NULL OR lease_expires_at < now())
        ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
      ) next
      WHERE u.id = next.id RETURNING u.id, u.lease_fence`;
    return row === undefined ? undefined : { runId: row.id, holder, fence: row.lease_fence };
  }

  /**
   * Claims a run that is to act now: its plan is made and within its limits or let beyond them, its grace is over, or its worker is
   * silent. Undefined when none is.
   */
  async claimExecution(holder: string): Promise<RetentionLease | undefined> {
    await this.#giveUpHopeless();
    const [row] = await this.#database.tables.$queryRaw<{ id: string; lease_fence: bigint }[]>`
      UPDATE retention_run u
      SET attempts = attempts + 1, resume_at = NULL, state = ${nextState},
        lease_holder = ${holder}, lease_fence = lease_fence + 1, lease_expires_at = now() + ${this.#lease}
      FROM (
        SELECT o.id FROM retention_run o
        WHERE o.finished_at IS NULL AND o.mode = 'enforce' AND (o.lease_expires_at IS NULL OR o.lease_expires_at < now())
          AND (o.state IN ('planned', 'marking', 'deleting') OR (o.state = 'grace' AND o.resume_at <= now()))
        ORDER BY o.id LIMIT 1 FOR UPDATE SKIP LOCKED
      ) next
      WHERE u.id = next.id RETURNING u.id, u.lease_fence`;
    return row === undefined ? undefined : { runId: row.id, holder, fence: row.lease_fence };
  }

  /** False when the lease is lost. */
  async renew(lease: RetentionLease): Promise<boolean> {
    const count = await this.#database.tables.$executeRaw`
      UPDATE retention_run SET lease_expires_at = now() + ${this.#lease} WHERE ${held(lease)}`;
    return count > 0;
  }

  /** Gives the lease up with the run unfinished, which is no attempt: another worker gets it at once. */
  async release(lease: RetentionLease): Promise<void> {
    await this.#database.tables.$executeRaw`
      UPDATE retention_run SET lease_expires_at = NULL, attempts = attempts - 1 WHERE ${held(lease)}`;
  }

  /** Ends the run without success, and spares what it has marked; false when the lease is lost. */
  async fail(lease: RetentionLease, error: StoredError): Promise<boolean> {
    return this.#database.transaction(async (tables) => {
      const rows = await tables.$queryRaw<unknown[]>`SELECT 1 FROM retention_run WHERE ${held(lease)} FOR NO KEY UPDATE`;
      if (rows.length > 0) await endRun(tables, lease.runId, { state: 'failed', error });
      return rows.length > 0;
    });
  }

  async #giveUpHopeless(): Promise<void> {
    const { tables } = this.#database;
    const hopeless = await tables.$queryRaw<{ id: string }[]>`SELECT id FROM retention_run WHERE ${isHopeless}`;
    for (const { id } of hopeless) {
      await this.#database.transaction(async (locked) => {
        const rows = await locked.$queryRaw<
          unknown[]
        >`SELECT 1 FROM retention_run WHERE id = ${id}::uuid AND ${isHopeless} FOR NO KEY UPDATE`;
        if (rows.length > 0) await endRun(locked, id, { state: 'failed', error: workersDied });
      });
    }
  }

  get #lease(): Prisma.Sql {
    return Prisma.sql`${this.#leaseMs} * interval '1 millisecond'`;
  }
}

/** Of a run that is taken up: one that rested before all was marked goes on marking, for which its window is shorter. */
const nextState = Prisma.sql`CASE
  WHEN u.state NOT IN ('planned', 'grace') THEN u.state
  WHEN u.state = 'planned' OR EXISTS (
    SELECT FROM retention_run_repository y WHERE y.run_id = u.id AND y.state IN ('planned', 'marking')) THEN 'marking'
  ELSE 'deleting' END`;

const isHopeless = Prisma.sql`finished_at IS NULL AND lease_expires_at < now() AND attempts >= ${maxAttempts}`;

const workersDied: StoredError = {
  code: 'attempts-exhausted',
  message: `${maxAttempts} workers died over this run: look at their logs`,
  operation: 'run retention',
  retryable: true,
};

/** Of the run's row: it is still this lease's. */
export function held({ runId, fence }: RetentionLease): Prisma.Sql {
  return Prisma.sql`id = ${runId}::uuid AND lease_fence = ${fence} AND finished_at IS NULL AND lease_expires_at > now()`;
}
