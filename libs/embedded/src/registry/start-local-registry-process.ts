import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { EmbeddedError, fromSystemError } from '../embedded-error.js';
import type { EmbeddedLog } from '../embedded-log.js';
import { findFreePort } from '../process/free-port.js';
import type { ReadyWhen } from '../process/readiness.js';
import { type SupervisedProcess, superviseProcess } from '../process/supervise-process.js';
import { takeFolder } from '../process/take-folder.js';
import { dockerRegistryConfig, instanceHeader } from './docker-registry-config.js';
import { findEngine, type FoundEngine } from './registry-engine.js';
import { openRegistryFolder, readRegistryState, type RegistryEngine, type RegistryFolder, writeRegistryState } from './registry-folder.js';

export interface LocalRegistryOptions {
  /** The registry's name in the topology. */
  readonly name: string;
  /** The folder of this registry: its images, log and configuration. Made when absent. */
  readonly dataDir: string;
  /** The wanted port; another one is taken, and reported, when it is not free. */
  readonly port?: number | undefined;
  readonly engine: RegistryEngine | 'auto';
  readonly log?: EmbeddedLog | undefined;
  readonly onUnexpectedExit?: ((error: EmbeddedError) => void) | undefined;
  /** The entry point of the built-in registry when it is not the built one. For tests. */
  readonly localRegistryMain?: string | undefined;
  /** Where docker-registry is looked for when not on the PATH. For tests. */
  readonly searchPath?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A registry on loopback, open to everybody on this machine. */
export interface LocalRegistryProcess {
  readonly name: string;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly port: number;
  /** The port that was asked for; differs from `port` when it was taken. */
  readonly requestedPort: number | undefined;
  readonly pid: number;
  /** The second half of the process's identity, for the run folder. */
  readonly startToken: string;
  readonly engine: RegistryEngine;
  readonly version: string;
  stop(): Promise<void>;
}

const portTries = 5;

/**
 * Starts the registry of one folder and waits until `/v2/` answers. Images and, where it is
 * still free, the address are those of the last run.
 * Codes: all of {@link EmbeddedError} but those of PostgreSQL.
 */
export async function startLocalRegistryProcess(options: LocalRegistryOptions): Promise<LocalRegistryProcess> {
  const folder = await openRegistryFolder(options.dataDir);
  const lock = await takeFolder({ what: `the registry ${options.name}`, folder: folder.root, lockFile: folder.lock });
  try {
    const { child, port, engine } = await startOnSomePort(folder, options);
    await lock.announce(`127.0.0.1:${port}`);
    reportStart({ port, engine }, options);
    return {
      name: options.name,
      url: `http://127.0.0.1:${port}`,
      port,
      requestedPort: options.port,
      pid: child.pid,
      startToken: child.startToken,
      engine: engine.engine,
      version: engine.version,
      stop: async () => {
        await child.stop();
        await lock.release();
      },
    };
  } catch (cause) {
    await lock.release();
    throw fromSystemError(cause, { operation: `start the registry ${options.name}`, path: folder.root });
  }
}

interface Started {
  readonly child: SupervisedProcess;
  readonly port: number;
  readonly engine: FoundEngine;
}

/** Tries the wanted port, then the last one, then any; a port lost to another program in between costs one more try. */
async function startOnSomePort(folder: RegistryFolder, options: LocalRegistryOptions): Promise<Started> {
  const { localRegistryMain, searchPath, signal } = options;
  const state = await readRegistryState(folder);
  const engine = await findEngine({ wanted: options.engine, remembered: state.engine, localRegistryMain, searchPath, signal });
  const images = folder.images(engine.engine);
  await mkdir(images, { recursive: true, mode: 0o700 });
  // Written before the first image is stored, so that the secret and the engine are never forgotten.
  await writeRegistryState(folder, { ...state, engine: engine.engine });

  for (let attempt = 1; ; attempt += 1) {
    const port = attempt === 1 ? await firstFree([options.port, state.port]) : await findFreePort();
    try {
      const child = await launch({ engine, folder, images, port, secret: state.secret }, options);
      await writeRegistryState(folder, { ...state, engine: engine.engine, port });
      return { child, port, engine };
    } catch (error) {
      const isLostRace = error instanceof EmbeddedError && error.code === 'port-unavailable';
      if (!isLostRace || attempt === portTries) throw error;
    }
  }
}

async function firstFree(preferred: readonly (number | undefined)[]): Promise<number> {
  for (const port of preferred) {
    if (port !== undefined && (await findFreePort(port)) === port) return port;
  }
  return findFreePort();
}

interface Launch {
  readonly engine: FoundEngine;
  readonly folder: RegistryFolder;
  readonly images: string;
  readonly port: number;
  readonly secret: string;
}

async function launch(what: Launch, { name, onUnexpectedExit, signal }: LocalRegistryOptions): Promise<SupervisedProcess> {
  return superviseProcess({
    ...(await programOf(what)),
    name: `the registry ${name}`,
    logFile: what.folder.log,
    onUnexpectedExit,
    signal,
  });
}

interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly endsWith: 'stdin' | 'watcher';
  readonly readyWhen: ReadyWhen;
}

async function programOf({ engine, folder, images, port, secret }: Launch): Promise<Program> {
  if (engine.engine === 'local-registry') {
    return {
      command: process.execPath,
      args: [engine.path, '--data', images, '--port', String(port), '--exit-with-stdin'],
      endsWith: 'stdin',
      readyWhen: { line: (line) => line.startsWith('{"url":') },
    };
  }
  const instance = randomBytes(8).toString('hex');
  await writeFile(folder.config, dockerRegistryConfig({ dataFolder: images, port, secret, instance }), { mode: 0o600 });
  return {
    command: engine.path,
    args: ['serve', folder.config],
    endsWith: 'watcher',
    readyWhen: {
      answersAt: `http://127.0.0.1:${port}/v2/`,
      accept: (response) => response.status === 200 && response.headers.get(instanceHeader) === instance,
    },
  };
}

function reportStart({ port, engine }: Pick<Started, 'port' | 'engine'>, { name, log, port: requestedPort }: LocalRegistryOptions): void {
  if (requestedPort !== undefined && requestedPort !== port) {
    log?.('the wanted port of a local registry is taken, another one is used', { registry: name, requestedPort, port });
  }
  log?.('a local registry is ready; it is open to everybody on this machine', {
    registry: name,
    port,
    engine: engine.engine,
    version: engine.version,
  });
}
