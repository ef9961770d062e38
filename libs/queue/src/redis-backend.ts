import type { Logger } from '@waybill/observability';
import { createRedisBackend, Queue } from 'bullmq';
import { Redis, type RedisOptions } from 'ioredis';
import type { Backend, OpenWorker, WorkerRequest } from './backend.js';
import { jobOptions, queueOptions, workerOptions } from './bull-options.js';
import { BullWorker, runWorker } from './bull-worker.js';
import { ConnectionLog } from './connection-log.js';
import { settlesWithin } from './deadline.js';
import type { PreparedJob } from './define-job.js';
import { QueueError } from './queue-error.js';
import { reconnectDelay, timing } from './timing.js';

const connectionOptions = {
  connectTimeout: timing.deadline,
  // ioredis 6.0 waits as long for a socket that is closed already, which would keep an ending process alive.
  disconnectTimeout: 250,
  keepAlive: 10_000,
  retryStrategy: reconnectDelay,
  // A failover leaves clients connected to what is a replica now (seen with ElastiCache); 2 means: reconnect and send again.
  reconnectOnError: (error: Error) => (error.message.startsWith('READONLY') ? 2 : false),
} as const satisfies RedisOptions;

/** Calls fail at once while Redis is away, instead of piling up in the client. */
const impatient = { ...connectionOptions, enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: timing.deadline } as const;

/** Workers wait for Redis however long it takes; BullMQ demands it of blocking connections. */
const patient = { ...connectionOptions, maxRetriesPerRequest: null } as const;

/** All keys of a queue share one hash tag, so that its scripts run on a Redis Cluster. */
function prefixOf(queueName: string): string {
  return `{waybill-${queueName}}`;
}

/** Queues on Redis 6.2 or later, or Valkey. */
export class RedisBackend implements Backend {
  readonly kind = 'redis';
  readonly connection: ConnectionLog;
  readonly #url: string;
  readonly #logger: Logger;
  readonly #producer: Connection;
  /** One for all workers; each has another of its own to block on. */
  #worker: Connection | undefined;
  readonly #queues = new Map<string, Queue<unknown, void>>();

  constructor(url: string, logger: Logger) {
    this.#url = url;
    this.#logger = logger;
    this.#producer = connect(url, impatient, logger.child({ connection: 'producer' }));
    this.connection = this.#producer.log;
  }

  async add(queueName: string, jobs: readonly PreparedJob[]): Promise<void> {
    await ready(this.#producer.client);
    await this.#queue(queueName).addBulk(jobs.map(({ name, data, id }) => ({ name, data, opts: { ...jobOptions, jobId: id } })));
  }

  async openWorker(request: WorkerRequest, signal: AbortSignal): Promise<OpenWorker> {
    const { queueName, concurrency } = request;
    this.#worker ??= connect(this.#url, patient, this.#logger.child({ connection: 'worker' }));
    await ready(this.#worker.client, signal);
    const options = { ...workerOptions, concurrency, prefix: prefixOf(queueName), connection: this.#worker.client, skipVersionCheck: true };
    return runWorker(new BullWorker(request, options, createRedisBackend), this.#logger.child({ queueName }));
  }

  async ping(): Promise<void> {
    await ready(this.#producer.client);
    await this.#producer.client.ping();
  }

  async close(): Promise<void> {
    for (const queue of this.#queues.values()) await settlesWithin(queue.close(), timing.deadline);
    await this.#producer.close();
    await this.#worker?.close();
  }

  #queue(queueName: string): Queue<unknown, void> {
    const known = this.#queues.get(queueName);
    if (known !== undefined) return known;
    // Without BullMQ's check of the version, which would ask the server once and never recover from a failure.
    const options = { ...queueOptions, prefix: prefixOf(queueName), connection: this.#producer.client, skipVersionCheck: true };
    const queue = new Queue<unknown, void>(queueName, options, createRedisBackend);
    queue.on('error', () => undefined);
    this.#queues.set(queueName, queue);
    return queue;
  }
}

interface Connection {
  readonly client: Redis;
  readonly log: ConnectionLog;
  close(): Promise<void>;
}

function connect(url: string, options: RedisOptions, logger: Logger): Connection {
  const log = new ConnectionLog(logger);
  const client = new Redis(url, options);
  client.on('error', (error) => log.down(error));
  client.on('close', () => log.down(new QueueError('redis closed the connection', { code: 'queue-unavailable', operation: 'connect' })));
  client.on('ready', () => {
    log.up();
    void warnOfEviction(client, logger);
  });
  return {
    client,
    log,
    async close() {
      log.close();
      if (client.status === 'ready') await settlesWithin(client.quit(), timing.deadline);
      client.disconnect();
    },
  };
}

/** Redis may be told to drop keys when memory is short, which would drop jobs; they come back, but late. */
async function warnOfEviction(client: Redis, logger: Logger): Promise<void> {
  const info = await client.info('memory').catch(() => '');
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
  if (policy !== undefined && policy !== 'noeviction') logger.warn({ policy }, 'redis may evict jobs, set maxmemory-policy to noeviction');
}

/** Resolves when a connection can be used; rejects when the signal is aborted or the connection is closed for good. */
async function ready(client: Redis, signal?: AbortSignal): Promise<void> {
  if (client.status === 'ready') return;
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const forget = (): void => {
      client.off('ready', onReady).off('end', onEnd);
      signal?.removeEventListener('abort', onEnd);
    };
    const onReady = (): void => {
      forget();
      resolve();
    };
    const onEnd = (): void => {
      forget();
      reject(new QueueError('the connection to redis was closed', { code: 'queue-unavailable', operation: 'connect' }));
    };
    client.once('ready', onReady).once('end', onEnd);
    signal?.addEventListener('abort', onEnd, { once: true });
  });
}
