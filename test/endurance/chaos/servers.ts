import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@waybill/embedded';
import { type RunningRedis, type RunningRegistry, makeTestFolder, startDockerRegistry, startRedis } from '@waybill/testing';
import { Stack } from '../../../apps/cli/src/up/stack.js';

/** The queue stands on Redis, or in the same PostgreSQL as the truth. */
export type QueueKind = 'redis' | 'postgres';

export const registryNames = ['ci', 'staging', 'prod', 'prod-us'] as const;
export type RegistryName = (typeof registryNames)[number];

/** What Waybill stands on, each of which can be restarted; addresses and data stay. */
export interface Servers {
  readonly databaseUrl: string;
  /** Variables for api and worker. */
  readonly environment: Readonly<Record<string, string>>;
  readonly registries: Readonly<Record<RegistryName, RunningRegistry>>;
  restartDatabase(): Promise<void>;
  /** On PostgreSQL the queue is restarted with the database. */
  restartQueue(): Promise<void>;
  restartRegistry(name: RegistryName): Promise<void>;
  stop(): Promise<void>;
}

export async function startServers(queue: QueueKind): Promise<Servers> {
  const stack = new Stack();
  try {
    const database = await startDatabase(stack);
    const redis = queue === 'redis' ? await startTracked(stack, startRedis) : undefined;
    const [ci, staging, prod, replica] = [
      await startTracked(stack, startDockerRegistry),
      await startTracked(stack, startDockerRegistry),
      await startTracked(stack, startDockerRegistry),
      await startTracked(stack, startDockerRegistry),
    ];
    const registries = { ci, staging, prod, 'prod-us': replica };
    return {
      databaseUrl: database.url,
      environment: { DATABASE_URL: database.url, ...queueVariable(redis, database.queueUrl) },
      registries,
      restartDatabase: () => database.restart(),
      restartQueue: () => redis?.restart() ?? database.restart(),
      restartRegistry: (name) => registries[name].restart(),
      stop: () => stack.unwind(),
    };
  } catch (error) {
    await stack.unwind();
    throw error;
  }
}

async function startTracked<T extends { stop(): Promise<void> }>(stack: Stack, start: () => Promise<T>): Promise<T> {
  const server = await start();
  stack.push(() => server.stop());
  return server;
}

async function startDatabase(stack: Stack) {
  const folder = await makeTestFolder('chaos-');
  stack.push(() => rm(folder, { recursive: true, force: true }));
  const options = { dataDir: join(folder, 'postgres'), durable: false };
  let server = await startEmbeddedPostgres(options);
  stack.push(() => server.stop());
  const { url, queueUrl, port } = server;
  return {
    url,
    queueUrl,
    restart: async (): Promise<void> => {
      await server.stop();
      server = await startEmbeddedPostgres(options);
      if (server.port !== port) throw new Error(`the database came back on port ${server.port}, not ${port}`);
    },
  };
}

function queueVariable(redis: RunningRedis | undefined, queueUrl: string): Readonly<Record<string, string>> {
  return redis === undefined ? { WAYBILL_QUEUE_DATABASE_URL: queueUrl } : { REDIS_URL: redis.url };
}
