import { PrismaPg } from '@prisma/adapter-pg';
import { type Prisma, PrismaClient } from './generated/client.js';
import { absenceAround } from './database-unavailable.js';
import { cutSilentConnections } from './impatient-pool.js';
import { type PoolWatch, watchedPool } from './watched-pool.js';

export interface DatabaseOptions extends PoolWatch {
  /** Connections that this process may hold. */
  readonly maxConnections?: number;
  /** How long to wait for a free connection, or a new one, in milliseconds; default 5,000. */
  readonly connectTimeoutMs?: number;
  /** How long one statement may stay unanswered, in milliseconds, before its connection is cut; default: as long as it takes. */
  readonly statementTimeoutMs?: number;
  /** Called for every statement sent, with its text and without its parameters. */
  readonly onStatement?: (statement: string) => void;
}

/** The tables, whether inside a transaction or not. */
export type Tables = Prisma.TransactionClient;

interface TransactionOptions {
  readonly timeout: number;
  readonly isolationLevel?: Prisma.TransactionIsolationLevel;
}

const defaultConnectTimeoutMs = 5_000;
const transactionTimeoutMs = 15_000;
/** What reads a whole repository of a million manifests takes longer than what decides something. */
const snapshotTimeoutMs = 600_000;

/** One process's connection to PostgreSQL. */
export class Database {
  readonly #prisma: PrismaClient;
  readonly #connectTimeoutMs: number;

  constructor(url: string, options: DatabaseOptions = {}) {
    const { onStatement, statementTimeoutMs } = options;
    this.#connectTimeoutMs = options.connectTimeoutMs ?? defaultConnectTimeoutMs;
    const config = { connectionString: url, max: options.maxConnections ?? 10, connectionTimeoutMillis: this.#connectTimeoutMs };
    const pool = watchedPool(config, options);
    if (statementTimeoutMs !== undefined) cutSilentConnections(pool, statementTimeoutMs);
    const adapter = new PrismaPg(pool, { disposeExternalPool: true });
    if (onStatement === undefined) {
      this.#prisma = new PrismaClient({ adapter });
      return;
    }
    const logging = new PrismaClient({ adapter, log: [{ emit: 'event', level: 'query' }] });
    logging.$on('query', (event) => onStatement(event.query));
    this.#prisma = logging;
  }

  /** Statements outside of any transaction. */
  get tables(): Tables {
    return this.#prisma;
  }

  /**
   * Runs `work` in one transaction (read committed); a rejection rolls back.
   * @throws PersistenceError `database-unavailable` when the transaction could not begin, or its end was not confirmed
   */
  transaction<T>(work: (tables: Tables) => Promise<T>): Promise<T> {
    return this.#run(work, { timeout: transactionTimeoutMs });
  }

  /** Reads as at one moment: every statement of `work` sees what the first one saw. It must not write. Throws as `transaction` does. */
  snapshot<T>(work: (tables: Tables) => Promise<T>): Promise<T> {
    return this.#run(work, { timeout: snapshotTimeoutMs, isolationLevel: 'RepeatableRead' });
  }

  /** Rejects when the database does not answer. */
  async ping(): Promise<void> {
    await this.#prisma.$queryRaw`SELECT 1`;
  }

  close(): Promise<void> {
    return this.#prisma.$disconnect();
  }

  /** What `work` rejects with stays as it is; only what comes from around it can be the absence of the database. */
  async #run<T>(work: (tables: Tables) => Promise<T>, options: TransactionOptions): Promise<T> {
    const ofWork = new Set<unknown>();
    const noted = async (tables: Tables): Promise<T> => {
      try {
        return await work(tables);
      } catch (error) {
        ofWork.add(error);
        throw error;
      }
    };
    try {
      return await this.#prisma.$transaction(noted, { maxWait: this.#connectTimeoutMs, ...options });
    } catch (error) {
      throw ofWork.has(error) ? error : absenceAround(error);
    }
  }
}

const rolledBack = Symbol('rolled back on purpose');

/** Ends the surrounding transaction without a trace. */
export function rollBack(): never {
  throw Object.assign(new Error('rolled back on purpose'), { [rolledBack]: true });
}

/** What `rollBack` ended gives undefined; everything else rejects as it did. */
export function undefinedWhenRolledBack(error: unknown): undefined {
  if (error instanceof Error && rolledBack in error) return undefined;
  throw error;
}
