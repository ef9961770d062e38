import { hostname, tmpdir } from 'node:os';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { issueApiKey } from '@waybill/access';
import type { CreatePromotion, Promotion } from '@waybill/contracts/http';
import { type SupervisedProcess, superviseProcess } from '@waybill/embedded';
import { Database } from '@waybill/persistence';
import { createMigratedDatabase } from '@waybill/testing';
import { formatDiagnostic, parseTopology } from '@waybill/topology';
import { WaybillApi } from '../../apps/cli/src/api-client/waybill-api.js';
import { Stack } from '../../apps/cli/src/up/stack.js';
import { ensureAppsCompiled, mainOf } from './compiled.js';
import { until } from './poll.js';
import { type ObservedRegistry, startObservedRegistry } from './registries.js';

export interface SystemOptions {
  /** Text of the topology file; the registries that it calls local are started. */
  readonly topology: string;
  /** Variables for api and worker beside those of the harness, e.g. secrets. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Puts the queue on Redis; on PostgreSQL otherwise. */
  readonly redisUrl?: string;
}

/** A worker process. */
export interface WorkerProcess {
  /** As it names itself in leases. */
  readonly id: string;
  /** Stops it where it stands, so that something can happen before it goes on. */
  pause(): void;
  resume(): void;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves when it is gone, with how it ended. */
  end(): Promise<string>;
  /** Resolves once it has logged this message. */
  logged(message: string): Promise<void>;
}

/** One of several processes of the API. */
export interface ApiProcess {
  readonly url: string;
  /** SIGTERM; resolves when it is gone, with how it ended. */
  end(): Promise<string>;
}

/** Waybill's processes on a database of their own, and the local registries of the topology. */
export interface System {
  readonly api: WaybillApi;
  /** What makes the command line a client of this API, as its administrator. */
  readonly environment: Readonly<Record<string, string>>;
  registry(name: string): ObservedRegistry;
  /** For a look at the tables. */
  readonly database: Database;
  startWorker(environment?: Readonly<Record<string, string>>): Promise<WorkerProcess>;
  /** A further one beside that of `api`. */
  startApi(environment?: Readonly<Record<string, string>>): Promise<ApiProcess>;
  /** Requests a promotion; gives its id. */
  request(body: CreatePromotion): Promise<string>;
  /** The promotion once none of its targets, best-effort ones included, has anything left to do. */
  settled(id: string): Promise<Promotion>;
  /** Requests a promotion and waits until it is settled. */
  promote(body: CreatePromotion): Promise<Promotion>;
  /** Stops every process, by its id. */
  stop(): Promise<void>;
}

/** The shortest lease that the configuration takes, and retries that end within seconds. */
const workerSettings = {
  WAYBILL_WORKER_DISPATCH_LEASE_MS: '5000',
  WAYBILL_WORKER_RETRY_BASE_MS: '250',
  WAYBILL_WORKER_RETRY_MAX_MS: '1000',
  WAYBILL_WORKER_RETRY_MAX_ATTEMPTS: '5',
  WAYBILL_WORKER_DRAIN_MS: '0',
};

/**
 * Starts the registries and the API and applies the topology; workers are started one by one.
 * When something fails, what was started is stopped.
 */
export async function startSystem(options: SystemOptions): Promise<System> {
  const stack = new Stack();
  try {
    await ensureAppsCompiled();
    const registries = await startRegistries(options.topology, stack);
    const launcher = await prepare(options, stack);
    const key = issueApiKey(randomUUID()).text;
    const child = await launcher.launch('api', { WAYBILL_API_PORT: '0', WAYBILL_API_NOTICE_MS: '0', WAYBILL_ADMIN_KEY: key });
    const api = new WaybillApi({ url: `http://127.0.0.1:${portIn(child.readyLine)}`, key });
    await api.applyTopology(options.topology, 'e2e.yaml');
    for (const [name, { proxy }] of registries) await api.locateRegistry(name, proxy.url);
    return systemOf({ api, environment: { WAYBILL_API_URL: api.url, WAYBILL_API_KEY: key }, launcher, registries, stack });
  } catch (error) {
    await stack.unwind();
    throw error;
  }
}

async function startRegistries(source: string, stack: Stack): Promise<ReadonlyMap<string, ObservedRegistry>> {
  const { topology, diagnostics } = parseTopology(source, { file: 'e2e.yaml' });
  if (topology === undefined) throw new Error(diagnostics.map((diagnostic) => formatDiagnostic(diagnostic)).join('\n'));
  const locals = Object.values(topology.registries).filter(({ local }) => local !== undefined);
  const registries = new Map<string, ObservedRegistry>();
  for (const { name } of locals) {
    const registry = await startObservedRegistry();
    stack.push(() => registry.stop());
    registries.set(name, registry);
  }
  return registries;
}

interface LaunchedProcess extends SupervisedProcess {
  readonly logFile: string;
}

interface Launcher {
  readonly database: Database;
  launch(app: 'api' | 'worker', env: Readonly<Record<string, string>>): Promise<LaunchedProcess>;
}

async function prepare({ environment, redisUrl }: SystemOptions, stack: Stack): Promise<Launcher> {
  const server = await createMigratedDatabase();
  stack.push(() => server.drop());
  const database = new Database(server.url, { maxConnections: 2 });
  stack.push(() => database.close());
  const folder = await mkdtemp(join(tmpdir(), 'waybill-e2e-'));
  stack.push(() => rm(folder, { recursive: true, force: true }));
  const shared = {
    ...environment,
    DATABASE_URL: server.url,
    ...(redisUrl === undefined ? { WAYBILL_QUEUE_DATABASE_URL: server.queueUrl } : { REDIS_URL: redisUrl }),
    WAYBILL_EXIT_WITH_STDIN: '1',
  };
  let launched = 0;
  return {
    database,
    async launch(app, env) {
      launched += 1;
      const logFile = join(folder, `${app}-${launched}.log`);
      const child = await superviseProcess({
        name: `the ${app}`,
        command: process.execPath,
        args: ['--enable-source-maps', mainOf(app)],
        env: { ...shared, ...env },
        logFile,
        readyWhen: { line: (line) => line.includes(`"msg":"${app} is ready"`) },
        endsWith: 'stdin',
      });
      stack.push(() => child.stop());
      return { ...child, logFile };
    },
  };
}

interface Parts extends Pick<System, 'api' | 'environment'> {
  readonly launcher: Launcher;
  readonly registries: ReadonlyMap<string, ObservedRegistry>;
  readonly stack: Stack;
}

function systemOf({ api, environment, launcher, registries, stack }: Parts): System {
  const request = async (body: CreatePromotion) => (await api.createPromotion(body)).id;
  const settled = (id: string) =>
    until(`the end of promotion ${id}`, async () => {
      const promotion = await api.promotion(id);
      return promotion.settled ? promotion : undefined;
    });
  return {
    api,
    environment,
    registry(name) {
      const registry = registries.get(name);
      if (registry === undefined) throw new Error(`${name} is no local registry of the topology`);
      return registry;
    },
    database: launcher.database,
    startWorker: async (own = {}) => workerOf(await launcher.launch('worker', { ...workerSettings, ...own })),
    startApi: async (own = {}) => apiOf(await launcher.launch('api', { WAYBILL_API_PORT: '0', ...own })),
    request,
    settled,
    promote: async (body) => settled(await request(body)),
    stop: () => stack.unwind(),
  };
}

function apiOf(child: LaunchedProcess): ApiProcess {
  return { url: `http://127.0.0.1:${portIn(child.readyLine)}`, end: () => endOf(child) };
}

async function endOf(child: LaunchedProcess): Promise<string> {
  process.kill(child.pid, 'SIGTERM');
  return await child.exited;
}

function workerOf(child: LaunchedProcess): WorkerProcess {
  return {
    end: () => endOf(child),
    id: `${hostname()}:${child.pid}`,
    pause: () => void process.kill(child.pid, 'SIGSTOP'),
    resume: () => void process.kill(child.pid, 'SIGCONT'),
    async kill() {
      process.kill(child.pid, 'SIGKILL');
      await child.exited;
    },
    async logged(message) {
      const isLogged = async () => (await readFile(child.logFile, 'utf8')).includes(`"msg":"${message}"`) || undefined;
      await until(`"${message}" in the log of worker ${child.pid}`, isLogged);
    },
  };
}

function portIn(line: string): number {
  return (JSON.parse(line) as { readonly port: number }).port;
}
