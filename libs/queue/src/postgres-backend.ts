import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@waybill/observability';
import {
  createPostgresBackend,
  DEFAULT_SCHEMA,
  type PostgresConnectionOptions,
  type PostgresQueueBackend,
  Queue,
  runMigrations,
} from 'bullmq';
import pg from 'pg';
import type { Backend, OpenWorker, WorkerRequest } from './backend.js';
import { jobOptions, queueOptions, workerOptions } from './bull-options.js';
import { BullWorker, runWorker } from './bull-worker.js';
import { ConnectionLog } from './connection-log.js';
import { settlesWithin } from './deadline.js';
import type { PreparedJob } from './define-job.js';
import { PatientPool } from './patient-pool.js';
import { reconnectDelay, timing } from './timing.js';

/** Of all queues together, to add jobs. */
const producerConnections = 4;
/** Of each worker: one listens, the others take and settle jobs. */
const workerConnections = 3;

type PostgresQueue = Queue<unknown, void, string, unknown, void, string, PostgresQueueBackend, PostgresConnectionOptions>;

/**
 * Queues in the schema `bullmq` of a PostgreSQL database (14 or later), whose role needs CREATE on the database.
 * A pooler between must keep sessions, because workers LISTEN.
 */
export class PostgresBackend implements Backend {
  readonly kind = 'postgres';
  readonly #url: string;
  readonly #logger: Logger;
  readonly connection: ConnectionLog;
  readonly #producer: pg.Pool;
  readonly #queues = new Map<string, PostgresQueue>();
  #migrated: Promise<void> | undefined;

  constructor(url: string, logger: Logger) {
    this.#url = url;
    this.#logger = logger;
    this.connection = new ConnectionLog(logger.child({ connection: 'producer' }));
    this.#producer = new pg.Pool({ ...clientConfig(url, timing.deadline), max: producerConnections });
    this.#producer.on('error', (error) => this.connection.down(error));
    this.#producer.on('connect', (client) => client.on('error', (error) => this.connection.down(error)));
    // Each BullMQ queue listens to the pool's errors.
    this.#producer.setMaxListeners(0);
  }

  /** Brings the schema up to date; safe in many processes at once, and done once in each. */
  async migrate(): Promise<void> {
    this.#migrated ??= migrate(this.#url);
    try {
      await this.#migrated;
    } catch (error) {
      this.#migrated = undefined;
      throw error;
    }
  }

  async add(queueName: string, jobs: readonly PreparedJob[]): Promise<void> {
    const queue = await this.#queue(queueName);
    // One by one over a few connections: BullMQ's bulk function makes temporary tables, for which the role may lack
    // the right and which wear the catalogue.
    const rest = jobs.values();
    const lane = async (): Promise<void> => {
      for (const { name, data, id } of rest) await queue.add(name, data, { ...jobOptions, jobId: id });
    };
    await Promise.all(Array.from({ length: producerConnections }, lane));
  }

  async openWorker(request: WorkerRequest, signal: AbortSignal): Promise<OpenWorker> {
    const logger = this.#logger.child({ queueName: request.queueName });
    const log = new ConnectionLog(logger.child({ connection: 'worker' }));
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.migrate();
        signal.throwIfAborted();
        return await this.#startWorker(request, logger, log, signal);
      } catch (error) {
        signal.throwIfAborted();
        log.down(error);
        await delay(reconnectDelay(attempt), undefined, { signal });
      }
    }
  }

  async ping(): Promise<void> {
    await this.#producer.query('SELECT 1');
  }

  async close(): Promise<void> {
    this.connection.close();
    for (const queue of this.#queues.values()) await settlesWithin(queue.close(), timing.deadline);
    await settlesWithin(this.#producer.end(), timing.deadline);
  }

  async #startWorker(request: WorkerRequest, logger: Logger, log: ConnectionLog, signal: AbortSignal): Promise<OpenWorker> {
    const pool = new PatientPool({ ...clientConfig(this.#url, timing.deadline), max: workerConnections }, log);
    const worker = new BullWorker(request, { ...workerOptions, concurrency: request.concurrency, connection: pool }, createPostgresBackend);
    const abandon = async (): Promise<void> => {
      await worker.abandon();
      await settlesWithin(pool.end(), timing.deadline);
    };
    const onAbort = (): void => void settlesWithin(pool.end(), timing.deadline);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await worker.waitUntilReady();
    } catch (error) {
      await abandon();
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
    log.up();
    const running = runWorker(worker, logger);
    return {
      stopTaking: () => running.stopTaking(),
      async close(deadlineMs) {
        await running.close(deadlineMs);
        await settlesWithin(pool.end(), deadlineMs);
      },
    };
  }

  /** BullMQ keeps a queue's first failure for ever, so only a queue that became ready is kept. */
  async #queue(queueName: string): Promise<PostgresQueue> {
    await this.migrate();
    const known = this.#queues.get(queueName);
    if (known !== undefined) return known;
    const queue: PostgresQueue = new Queue(queueName, { ...queueOptions, connection: this.#producer }, createPostgresBackend);
    queue.on('error', () => undefined);
    try {
      await queue.waitUntilReady();
    } catch (error) {
      await queue.close();
      throw error;
    }
    this.#queues.set(queueName, queue);
    return queue;
  }
}

async function migrate(url: string): Promise<void> {
  const client = new pg.Client({ ...clientConfig(url, timing.migration), connectionTimeoutMillis: timing.deadline });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await runMigrations(client, DEFAULT_SCHEMA);
  } finally {
    await settlesWithin(client.end(), timing.deadline);
  }
}

function clientConfig(url: string, deadlineMs: number): pg.PoolConfig {
  return {
    connectionString: url,
    application_name: 'waybill-queue',
    options: `-c search_path=${DEFAULT_SCHEMA}`,
    keepAlive: true,
    connectionTimeoutMillis: deadlineMs,
    query_timeout: deadlineMs,
    statement_timeout: deadlineMs,
  };
}
