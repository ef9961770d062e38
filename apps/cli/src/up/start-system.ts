import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  acquireRunLock,
  findFreePort,
  type EmbeddedError,
  type LocalRegistryProcess,
  type RunLock,
  startEmbeddedPostgres,
  startLocalRegistryProcess,
  type SupervisedProcess,
  superviseProcess,
} from '@waybill/embedded';
import type { Topology } from '@waybill/topology';
import { Stack } from './stack.js';

export interface StartSystemOptions {
  /** The repository's root, built. */
  readonly root: string;
  readonly dataDir: string;
  readonly topology: Topology;
  readonly adminKey: string;
  /** The wanted port of the API; another is taken when it is not free. */
  readonly port: number;
  /** Variables handed on to api and worker as they are: real parts that replace embedded ones, and secrets. */
  readonly environment: Readonly<Record<string, string>>;
  readonly onUnexpectedExit: (error: EmbeddedError) => void;
  readonly signal: AbortSignal;
}

export interface RunningSystem {
  readonly apiUrl: string;
  readonly requestedPort: number;
  readonly database: string;
  readonly queue: string;
  readonly registries: readonly LocalRegistryProcess[];
  /** What a killed run had left behind and was stopped. */
  readonly leftovers: readonly string[];
  /** Stops everything, in the reverse order of start. */
  stop(): Promise<void>;
}

/**
 * Starts everything that the topology and the environment leave to us: PostgreSQL, local registries,
 * then api and worker. When something fails, what was started is stopped again.
 * @throws EmbeddedError
 */
export async function startSystem(options: StartSystemOptions): Promise<RunningSystem> {
  const stack = new Stack();
  try {
    await mkdir(join(options.dataDir, 'logs'), { recursive: true, mode: 0o711 });
    const lock = await acquireRunLock(join(options.dataDir, 'run'));
    stack.push(() => lock.release());
    const [database, registries] = await bothOrNeither(startDatabase(options, stack), startRegistries(options, stack, lock));
    const { apiUrl } = await startProcesses(options, stack, { lock, databaseEnvironment: database.environment });
    await lock.announce(apiUrl);
    return {
      apiUrl,
      requestedPort: options.port,
      database: database.told,
      queue: options.environment['REDIS_URL'] === undefined ? 'on the same PostgreSQL' : 'Redis, from REDIS_URL',
      registries,
      leftovers: lock.stopped.map(({ name }) => name),
      stop: () => stack.unwind(),
    };
  } catch (error) {
    await stack.unwind();
    throw error;
  }
}

async function startDatabase(
  options: StartSystemOptions,
  stack: Stack,
): Promise<{ readonly told: string; readonly environment: Readonly<Record<string, string>> }> {
  if (options.environment['DATABASE_URL'] !== undefined) return { told: 'PostgreSQL, from DATABASE_URL', environment: {} };
  const { dataDir, onUnexpectedExit, signal } = options;
  const postgres = await startEmbeddedPostgres({ dataDir: join(dataDir, 'postgres'), onUnexpectedExit, signal });
  stack.push(() => postgres.stop());
  return {
    told: `PostgreSQL ${postgres.version}, embedded${postgres.adopted ? ' (taken over from a killed run)' : ''}`,
    environment: { DATABASE_URL: postgres.url, WAYBILL_QUEUE_DATABASE_URL: postgres.queueUrl },
  };
}

async function startRegistries(options: StartSystemOptions, stack: Stack, lock: RunLock): Promise<LocalRegistryProcess[]> {
  const { dataDir, onUnexpectedExit, signal } = options;
  const locals = Object.values(options.topology.registries).filter(({ local }) => local !== undefined);
  const starts = locals.map(async ({ name, local }) => {
    const registry = await startLocalRegistryProcess({
      name,
      dataDir: join(dataDir, 'registries', name),
      port: local?.port,
      engine: 'auto',
      onUnexpectedExit,
      signal,
    });
    stack.push(() => registry.stop());
    await lock.record({
      name: `registry ${name}`,
      pid: registry.pid,
      startToken: registry.startToken,
      command: registry.engine,
      port: registry.port,
    });
    return registry;
  });
  await Promise.allSettled(starts);
  return Promise.all(starts);
}

async function startProcesses(
  options: StartSystemOptions,
  stack: Stack,
  started: { readonly lock: RunLock; readonly databaseEnvironment: Readonly<Record<string, string>> },
): Promise<{ readonly apiUrl: string }> {
  const port = await findFreePort(options.port);
  const workerPort = await findFreePort();
  const env = { ...options.environment, ...started.databaseEnvironment, WAYBILL_EXIT_WITH_STDIN: '1' };
  const api = { ...env, WAYBILL_ADMIN_KEY: options.adminKey, WAYBILL_API_PORT: String(port) };
  await bothOrNeither(
    startProcess({ name: 'api', port, env: api }, options, { stack, lock: started.lock }),
    startProcess({ name: 'worker', port: workerPort, env: { ...env, WAYBILL_WORKER_PORT: String(workerPort) } }, options, {
      stack,
      lock: started.lock,
    }),
  );
  return { apiUrl: `http://127.0.0.1:${port}` };
}

async function startProcess(
  { name, port, env }: { readonly name: 'api' | 'worker'; readonly port: number; readonly env: Readonly<Record<string, string>> },
  { root, dataDir, onUnexpectedExit, signal }: StartSystemOptions,
  { stack, lock }: { readonly stack: Stack; readonly lock: RunLock },
): Promise<SupervisedProcess> {
  const child = await superviseProcess({
    name: `the ${name}`,
    command: process.execPath,
    args: ['--enable-source-maps', join(root, 'apps', name, 'dist', 'main.js')],
    env,
    logFile: join(dataDir, 'logs', `${name}.log`),
    readyWhen: { answersAt: `http://127.0.0.1:${port}/health/ready`, accept: ({ ok }) => ok },
    endsWith: 'stdin',
    onUnexpectedExit,
    signal,
  });
  stack.push(() => child.stop());
  await lock.record({ name, pid: child.pid, startToken: child.startToken, command: name, port });
  return child;
}

/** Waits for both before it rejects, so that what was started is known and can be stopped. */
async function bothOrNeither<A, B>(one: Promise<A>, other: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([one, other]);
  return Promise.all([one, other]);
}

/** Waybill's version, as its root package says. */
export function versionOf(root: string): string {
  return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version;
}
