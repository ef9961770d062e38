import { randomBytes } from 'node:crypto';
import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { fromSystemError } from '../embedded-error.js';
import { readJsonFile, writeJsonFile } from '../process/json-file.js';

/** Which program serves a local registry. */
export type RegistryEngine = 'docker-registry' | 'local-registry';

/** What is remembered of a local registry from one start to the next. */
export interface RegistryState {
  /** Signs upload sessions; without the same one an upload does not survive a restart (Distribution 2.8). */
  readonly secret: string;
  readonly port?: number;
  /** The engine whose files hold the images; the two do not read each other's. */
  readonly engine?: RegistryEngine;
}

export interface RegistryFolder {
  readonly root: string;
  readonly lock: string;
  readonly log: string;
  readonly config: string;
  readonly state: string;
  /** The process that removes what is not needed any more, while it does. */
  readonly collector: string;
  /** Where an engine keeps its images. */
  images(engine: RegistryEngine): string;
}

/** Makes the folder; symbolic links are resolved, so that two ways to it meet at one lock. */
export async function openRegistryFolder(dataDir: string): Promise<RegistryFolder> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    const root = await realpath(dataDir);
    return {
      root,
      lock: join(root, 'supervisor.lock'),
      log: join(root, 'registry.log'),
      config: join(root, 'config.yml'),
      state: join(root, 'state.json'),
      collector: join(root, 'collector.json'),
      images: (engine) => join(root, engine),
    };
  } catch (cause) {
    throw fromSystemError(cause, { operation: 'open the folder of a local registry', path: dataDir });
  }
}

export async function readRegistryState(folder: RegistryFolder): Promise<RegistryState> {
  const file = await readJsonFile(folder.state);
  const fresh = { secret: randomBytes(32).toString('hex') };
  if (file.state !== 'read') return fresh;
  const { secret, port, engine } = file.value as Partial<Record<keyof RegistryState, unknown>>;
  return {
    secret: typeof secret === 'string' ? secret : fresh.secret,
    ...(typeof port === 'number' ? { port } : {}),
    ...(engine === 'docker-registry' || engine === 'local-registry' ? { engine } : {}),
  };
}

export async function writeRegistryState(folder: RegistryFolder, state: RegistryState): Promise<void> {
  await writeJsonFile(folder.state, state);
}
