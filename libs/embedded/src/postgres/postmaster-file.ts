import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { commandLineOf, type ProcessIdentity, startTokenOf } from '../process/process-identity.js';

/** What PostgreSQL's own lock file says (src/include/utils/pidfile.h, version 18). */
export interface PostmasterFile {
  readonly pid: number;
  readonly port: number;
  readonly isReady: boolean;
}

/** Reads the lock file of a cluster; `undefined` when there is none or it is not complete yet. */
export async function readPostmasterFile(dataFolder: string): Promise<PostmasterFile | undefined> {
  const text = await readFile(join(dataFolder, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = text.split('\n');
  const [pid, port] = [Number(lines[0]), Number(lines[3])];
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  return { pid, port, isReady: lines[7]?.trim() === 'ready' };
}

/** The server that runs on a cluster now; `undefined` when the lock file names a dead or a foreign process. */
export async function findRunningPostmaster(dataFolder: string): Promise<(ProcessIdentity & { readonly port: number }) | undefined> {
  const file = await readPostmasterFile(dataFolder);
  if (file === undefined || !isPostmasterOf(file.pid, dataFolder)) return undefined;
  const startToken = startTokenOf(file.pid);
  return startToken === undefined ? undefined : { pid: file.pid, startToken, port: file.port };
}

/**
 * Takes the process out of a stale lock file; the caller has found that no server runs there. PostgreSQL would
 * refuse to start as long as that id exists, and after a crash it may belong to any program, or to a
 * zombie that a container's first process never collects.
 *
 * The file is not deleted, because it also holds the shared memory key by which PostgreSQL finds backends that
 * outlived their server. The starter's own id takes the place: PostgreSQL knows that its parent is no
 * other server (CreateLockFile, version 18).
 */
export async function disownPostmasterFile(dataFolder: string): Promise<void> {
  if ((await readPostmasterFile(dataFolder)) === undefined) return;
  const path = join(dataFolder, 'postmaster.pid');
  const [, ...rest] = (await readFile(path, 'utf8')).split('\n');
  await writeFile(path, [process.pid, ...rest].join('\n'));
}

function isPostmasterOf(pid: number, dataFolder: string): boolean {
  const [program = '', ...args] = commandLineOf(pid);
  return basename(program) === 'postgres' && args.includes(dataFolder);
}
