import { randomBytes } from 'node:crypto';
import { chmod, mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddedError, fromSystemError } from '../embedded-error.js';
import { readJsonFile, writeJsonFile } from '../process/json-file.js';

const runHows = ['direct', 'nobody', 'user-namespace', 'relocated'] as const;

/** The way in which the server runs without being root; PostgreSQL refuses to be root. */
export type RunHow = (typeof runHows)[number];

/** Where the parts of one server stand. Everything but the cluster itself belongs to the starter alone. */
export interface ServerFolder {
  readonly root: string;
  readonly lock: string;
  readonly credentials: string;
  readonly state: string;
  readonly log: string;
}

/** Makes the folder and resolves symbolic links, so that two ways to it meet at one lock. */
export async function openServerFolder(dataDir: string): Promise<ServerFolder> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o711 });
    const root = await realpath(dataDir);
    return {
      root,
      lock: join(root, 'supervisor.lock'),
      credentials: join(root, 'credentials.json'),
      state: join(root, 'state.json'),
      log: join(root, 'server.log'),
    };
  } catch (cause) {
    throw fromSystemError(cause, { operation: 'open the data folder', path: dataDir });
  }
}

/** Passwords of the three roles. Held in one file that only its owner may read. */
export interface Credentials {
  readonly admin: string;
  readonly owner: string;
  readonly queue: string;
}

/** Reads the passwords, or makes them when the cluster does not exist yet. Code: `credentials-missing`. */
export async function loadCredentials(folder: ServerFolder, clusterExists: boolean): Promise<Credentials> {
  const file = await readJsonFile(folder.credentials);
  if (file.state === 'read') {
    const { admin, owner, queue } = file.value as Partial<Credentials>;
    if (admin && owner && queue) {
      await chmod(folder.credentials, 0o600);
      return { admin, owner, queue };
    }
  }
  if (clusterExists) throw passwordsUnusable(folder, file.state === 'absent' ? 'is missing' : 'is damaged');
  const fresh: Credentials = { admin: newPassword(), owner: newPassword(), queue: newPassword() };
  await writeJsonFile(folder.credentials, fresh);
  return fresh;
}

/** The database stands, but its passwords are not known; `how` says why. */
export function passwordsUnusable(folder: ServerFolder, how: string, cause?: unknown): EmbeddedError {
  const message = `${folder.credentials} holds the database's passwords and ${how}: restore it from a backup, or move ${folder.root} away to begin with an empty database`;
  return new EmbeddedError(message, { code: 'credentials-missing', operation: 'read the database passwords', cause });
}

/** What is remembered from one start to the next. */
export interface ServerState {
  readonly how?: RunHow;
  /** Preferred again, so that addresses stay the same. */
  readonly port?: number;
  /** Set once the cluster had to move out of a folder that no unprivileged user can enter. */
  readonly relocatedTo?: string;
}

export async function readServerState(folder: ServerFolder): Promise<ServerState> {
  const file = await readJsonFile(folder.state);
  if (file.state !== 'read') return {};
  const { port, relocatedTo, how } = file.value as Partial<Record<keyof ServerState, unknown>>;
  const knownHow = runHows.find((known) => known === how);
  return {
    ...(knownHow === undefined ? {} : { how: knownHow }),
    ...(typeof port === 'number' ? { port } : {}),
    ...(typeof relocatedTo === 'string' ? { relocatedTo } : {}),
  };
}

export async function rememberServerState(folder: ServerFolder, news: ServerState): Promise<void> {
  await writeJsonFile(folder.state, { ...(await readServerState(folder)), ...news });
}

function newPassword(): string {
  return randomBytes(24).toString('hex');
}
