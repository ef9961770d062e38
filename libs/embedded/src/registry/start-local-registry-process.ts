import { mkdir } from 'node:fs/promises';
import { EmbeddedError, fromSystemError } from '../embedded-error.js';
import type { EmbeddedLog } from '../embedded-log.js';
import { findFreePort } from '../process/free-port.js';
import type { ProcessIdentity } from '../process/process-identity.js';
import { stopRecorded } from '../process/run-recorded.js';
import type { SupervisedProcess } from '../process/supervise-process.js';
import { takeFolder } from '../process/take-folder.js';
import type { CollectedSpace } from './collect-garbage.js';
import type { NotificationEndpoint } from './docker-registry-config.js';
import { type Launch, launchRegistry } from './launch-registry.js';
import { findEngine } from './registry-engine.js';
import { openRegistryFolder, readRegistryState, type RegistryEngine, type RegistryFolder, writeRegistryState } from './registry-folder.js';
import { type CollectOptions, ServedRegistry } from './served-registry.js';

export interface LocalRegistryOptions {
  /** The registry's name in the topology. */
  readonly name: string;
  /** The folder of this registry: its images, log and configuration. Made when absent. */
  readonly dataDir: string;
  /** The wanted port; another one is taken, and reported, when it is not free. */
  readonly port?: number | undefined;
  readonly engine: RegistryEngine | 'auto';
  /** Who is told what happens there; docker-registry alone tells anything. */
  readonly notifications?: NotificationEndpoint | undefined;
  readonly log?: EmbeddedLog | undefined;
  readonly onUnexpectedExit?: ((error: EmbeddedError) => void) | undefined;
  /** Called before anybody is answered by a process that took the place of the first one, as a collection makes it. */
  readonly onRestart?: ((child: ProcessIdentity) => Promise<void>) | undefined;
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
  /**
   * Gives back the space of what no manifest needs. The registry refuses writes meanwhile and is restarted twice, at the same
   * address; however this ends, it is read and written again. A dry run touches nothing.
   * Codes: `collection-unsupported`, `collection-busy`, `collection-failed`, `cancelled`, those of a start.
   */
  collect(options: CollectOptions): Promise<CollectedSpace>;
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
    // Beside a registry that takes writes it would remove what is just being pushed.
    await stopRecorded(`the collection of ${options.name}`, folder.collector);
    const { child, launch } = await startOnSomePort(folder, options);
    const { port, engine } = launch;
    await lock.announce(`127.0.0.1:${port}`);
    reportStart(launch, options);
    const served = new ServedRegistry(launch, child, options);
    return {
      name: options.name,
      url: `http://127.0.0.1:${port}`,
      port,
      requestedPort: options.port,
      pid: child.pid,
      startToken: child.startToken,
      engine: engine.engine,
      version: engine.version,
      collect: (collecting) => served.collect(collecting),
      stop: async () => {
        await served.stop();
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
  readonly launch: Launch;
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
      const { name, notifications } = options;
      const launch = { name, engine, folder, images, port, secret: state.secret, notifications };
      const child = await launchRegistry(launch, { onUnexpectedExit: options.onUnexpectedExit, signal });
      await writeRegistryState(folder, { ...state, engine: engine.engine, port });
      return { child, launch };
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

function reportStart({ port, engine }: Launch, { name, log, port: requestedPort }: LocalRegistryOptions): void {
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
