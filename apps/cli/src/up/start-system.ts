import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { localNotificationSecret } from '@waybill/config';
import {
  findFreePort,
  type LocalRegistryProcess,
  serveControl,
  startEmbeddedPostgres,
  startLocalRegistryProcess,
  superviseProcess,
} from '@waybill/embedded';
import type { Registry, Topology } from '@waybill/topology';
import type { DataFolder } from './data-folder.js';
import type { FirstFailure } from './first-failure.js';
import { Stack } from './stack.js';

export interface StartSystemOptions {
  /** The repository's root, built. */
  readonly root: string;
  readonly folder: DataFolder;
  readonly topology: Topology;
  /** The wanted port of the API; another is taken when it is not free. */
  readonly port: number;
  /** Variables handed on to api and worker as they are: real parts that replace embedded ones, and secrets. */
  readonly environment: Readonly<Record<string, string>>;
  /** Told when a part ends by itself; its signal cancels the start. */
  readonly failure: FirstFailure;
  /** Called as soon as the API answers, while other parts may still be starting. */
  readonly onApiReady: (url: string) => void;
  /** What is to be undone to stop the system, also when its start fails half-way. */
  readonly stack: Stack;
}

export interface RunningSystem {
  readonly apiUrl: string;
  readonly database: string;
  readonly queue: string;
  readonly workerUrl: string;
  readonly registries: readonly LocalRegistryProcess[];
  /** Runs those of a topology's local registries that do not run yet. */
  readonly runMissing: (topology: Topology) => Promise<void>;
  /** How long each part took until it was ready, in milliseconds. */
  readonly phases: Readonly<Record<string, number>>;
}

/** What is settled before anything starts. */
interface Settled {
  readonly apiPort: number;
  /** What the secrets are made of that local registries show with their notifications. */
  readonly notificationKey: string;
}

interface StartedDatabase {
  readonly told: string;
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Starts everything that the topology and the environment leave to us: PostgreSQL, local registries,
 * and api and worker as soon as there is a database.
 * @throws EmbeddedError
 */
export async function startSystem(options: StartSystemOptions): Promise<RunningSystem> {
  const { environment, failure, topology } = options;
  const servers = new Stack();
  const programs = new Stack();
  // Whichever was ready first: what uses the servers is stopped before them.
  options.stack.push(() => servers.unwind());
  options.stack.push(() => programs.unwind());
  const phases: Record<string, number> = {};
  const timed = async <Result>(name: string, work: Promise<Result>): Promise<Result> => {
    const started = performance.now();
    const result = await work;
    phases[name] = performance.now() - started;
    return result;
  };

  const ready: LocalRegistryProcess[] = [];
  const control = await serveControl({ folder: join(options.folder.dir, 'run'), registries: () => ready });
  servers.push(() => control.close());

  const settled: Settled = { apiPort: await findFreePort(options.port), notificationKey: randomBytes(32).toString('hex') };
  const startLocal = async (registry: Registry): Promise<LocalRegistryProcess> => {
    const started = await startRegistry(registry, { ...options, ...settled }, servers);
    ready.push(started);
    return started;
  };
  const database = timed('database', startDatabase(options, servers));
  const registries = timed('registries', failure.all(localRegistries(topology).map(startLocal)));
  const api = database.then((started) => timed('api', startApi(started, { ...options, ...settled }, programs)));
  const worker = database.then(({ environment: found }) =>
    timed('worker', startWorker({ ...found, WAYBILL_CONTROL_SOCKET: control.path }, options, programs)),
  );
  const [{ told }, apiUrl, workerUrl, running] = await failure.all([database, api, worker, registries]);
  return {
    apiUrl,
    database: told,
    queue: environment['REDIS_URL'] === undefined ? 'on PostgreSQL' : 'on Redis, from REDIS_URL',
    workerUrl,
    registries: running,
    runMissing: async (wanted) => {
      const missing = localRegistries(wanted).filter(({ name }) => !running.some((one) => one.name === name));
      running.push(...(await failure.all(missing.map(startLocal))));
    },
    phases,
  };
}

function localRegistries({ registries }: Topology): Registry[] {
  return Object.values(registries).filter(({ local }) => local !== undefined);
}

async function startDatabase({ environment, folder, failure }: StartSystemOptions, stack: Stack): Promise<StartedDatabase> {
  if (environment['DATABASE_URL'] !== undefined) return { told: 'PostgreSQL, from DATABASE_URL', environment: {} };
  const postgres = await startEmbeddedPostgres({
    dataDir: join(folder.dir, 'postgres'),
    onUnexpectedExit: (error) => failure.report(error),
    signal: failure.signal,
  });
  stack.push(() => postgres.stop());
  return {
    told: `PostgreSQL ${postgres.version}, embedded${postgres.adopted ? ' (taken over from a killed run)' : ''}`,
    environment: { DATABASE_URL: postgres.url, WAYBILL_QUEUE_DATABASE_URL: postgres.queueUrl },
  };
}

async function startRegistry(
  { name, local }: Registry,
  { folder, failure, apiPort, notificationKey }: StartSystemOptions & Settled,
  stack: Stack,
): Promise<LocalRegistryProcess> {
  const record = `registry ${name}`;
  const registry = await startLocalRegistryProcess({
    name,
    dataDir: join(folder.dir, 'registries', name),
    port: local?.port,
    engine: 'auto',
    notifications: {
      url: `${apiAddress(apiPort)}/api/v1/registries/${name}/notifications`,
      secret: localNotificationSecret(notificationKey, name),
    },
    onUnexpectedExit: (error) => failure.report(error),
    onRestart: ({ pid, startToken }) => folder.lock.record({ name: record, pid, startToken, command: 'docker-registry' }),
    signal: failure.signal,
  });
  const { pid, startToken, engine, port } = registry;
  stack.push(async () => {
    await registry.stop();
    await folder.lock.forget(record);
  });
  await folder.lock.record({ name: record, pid, startToken, command: engine, port });
  return registry;
}

async function startApi(database: StartedDatabase, options: StartSystemOptions & Settled, stack: Stack): Promise<string> {
  const port = options.apiPort;
  const env = {
    WAYBILL_ADMIN_KEY: options.folder.key.text,
    WAYBILL_NOTIFICATION_KEY: options.notificationKey,
    WAYBILL_API_PORT: String(port),
    // Nobody else answers, so there is nothing to notice.
    WAYBILL_API_NOTICE_MS: options.environment['WAYBILL_API_NOTICE_MS'] ?? '0',
  };
  await startProcess({ name: 'api', port, env: { ...database.environment, ...env } }, options, stack);
  const url = apiAddress(port);
  await options.folder.lock.announce(url);
  options.onApiReady(url);
  return url;
}

function apiAddress(port: number): string {
  return `http://127.0.0.1:${port}`;
}

/** Ctrl-C is not to wait for a copy: what the worker hands over goes on at the next start. */
const drainMs = '1000';

async function startWorker(found: StartedDatabase['environment'], options: StartSystemOptions, stack: Stack): Promise<string> {
  const wanted = options.environment['WAYBILL_WORKER_PORT'];
  const port = await findFreePort(wanted === undefined ? undefined : Number(wanted));
  const env = { WAYBILL_WORKER_PORT: String(port), WAYBILL_WORKER_DRAIN_MS: options.environment['WAYBILL_WORKER_DRAIN_MS'] ?? drainMs };
  await startProcess({ name: 'worker', port, env: { ...found, ...env } }, options, stack);
  return `http://127.0.0.1:${port}`;
}

interface Program {
  readonly name: 'api' | 'worker';
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
}

async function startProcess({ name, port, env }: Program, options: StartSystemOptions, stack: Stack): Promise<void> {
  const { root, folder, environment, failure } = options;
  const child = await superviseProcess({
    name: `the ${name}`,
    command: process.execPath,
    args: ['--enable-source-maps', join(root, 'apps', name, 'dist', 'main.js')],
    env: { ...environment, ...env, WAYBILL_EXIT_WITH_STDIN: '1' },
    logFile: join(folder.logs, `${name}.log`),
    readyWhen: { answersAt: `http://127.0.0.1:${port}/health/ready`, accept: ({ ok }) => ok },
    endsWith: 'stdin',
    onUnexpectedExit: (error) => failure.report(error),
    signal: failure.signal,
  });
  stack.push(async () => {
    await child.stop();
    await folder.lock.forget(name);
  });
  await folder.lock.record({ name, pid: child.pid, startToken: child.startToken, command: name, port });
}
