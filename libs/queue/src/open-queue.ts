import type { QueueConfig } from '@waybill/config';
import type { Logger } from '@waybill/observability';
import { asQueueError } from './backend-failure.js';
import { BackendQueue } from './backend-queue.js';
import type { JobQueue } from './job-queue.js';
import { PostgresBackend } from './postgres-backend.js';
import { RedisBackend } from './redis-backend.js';

export interface OpenQueueOptions {
  readonly logger: Logger;
}

/**
 * Opens the queue that the configuration names. A backend that is away is no reason not to start:
 * everything waits for it or says `queue-unavailable`, and works when it is back.
 *
 * On PostgreSQL the schema is brought up to date, which is safe in many processes at once.
 *
 * @throws QueueError `queue-refused` when PostgreSQL answers and the schema cannot be made or used
 */
export async function openQueue(config: QueueConfig, { logger }: OpenQueueOptions): Promise<JobQueue> {
  const queueLogger = logger.child({ queue: config.kind });
  if (config.kind === 'redis') return new BackendQueue(new RedisBackend(config.url, queueLogger), queueLogger);
  const backend = new PostgresBackend(config.url, queueLogger);
  try {
    await backend.migrate();
  } catch (error) {
    const failure = asQueueError('open queue', error);
    if (!failure.retryable) {
      await backend.close();
      throw failure;
    }
    queueLogger.warn({ err: failure }, 'the queue cannot be reached yet');
  }
  return new BackendQueue(backend, queueLogger);
}
