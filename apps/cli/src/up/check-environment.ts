import { loadApiConfig, loadWorkerConfig } from '@waybill/config';
import { checkDatabase, EmbeddedError } from '@waybill/embedded';
import { WaybillError } from '@waybill/kernel';
import { checkRedis, RedisUnusable } from './check-redis.js';

/** A server that the environment names cannot be used. */
export class ServerUnusable extends WaybillError<'server-unusable'> {}

/** Stands for the embedded database while everything else is read. */
const embeddedDatabase = 'postgresql://127.0.0.1/embedded';

/**
 * Looks at what is handed on to api and worker before anything is started: whether they will understand it, and
 * whether the servers that replace embedded parts can be used. What is wrong is told by the variable's name.
 * @throws ConfigError, ServerUnusable
 */
export async function checkEnvironment(environment: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void> {
  const complete = { DATABASE_URL: embeddedDatabase, ...environment };
  loadApiConfig(complete);
  loadWorkerConfig(complete);
  const { DATABASE_URL: database, WAYBILL_QUEUE_DATABASE_URL: queueDatabase, REDIS_URL: redis } = environment;
  await Promise.all([
    named('DATABASE_URL', database, checkDatabase),
    named('WAYBILL_QUEUE_DATABASE_URL', redis === undefined ? queueDatabase : undefined, checkDatabase),
    named('REDIS_URL', redis, (url) => checkRedis(url, signal)),
  ]);
  signal.throwIfAborted();
}

async function named(variable: string, url: string | undefined, check: (url: string) => Promise<void>): Promise<void> {
  if (url === undefined) return;
  try {
    await check(url);
  } catch (cause) {
    if (!(cause instanceof EmbeddedError || cause instanceof RedisUnusable)) throw cause;
    throw new ServerUnusable(`${variable}: ${cause.message}`, {
      code: 'server-unusable',
      operation: 'check environment',
      retryable: true,
      cause,
    });
  }
}
