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
 * Takes a foreign process out of a stale lock file: after a crash its id may belong to any program,
 * and PostgreSQL would refuse to start. The file is not deleted, because it also holds the shared memory
 * key by which PostgreSQL finds backends that outlived their server; the starter's own id in the first
 * line is one that it knows to be no other server (CreateLockFile skips its parent).
 */
export async function disownForeignPostmasterFile(dataFolder: string): Promise<void> {
  const file = await readPostmasterFile(dataFolder);
  if (file === undefined || startTokenOf(file.pid) === undefined) return;
  const path = join(dataFolder, 'postmaster.pid');
  const [, ...rest] = (await readFile(path, 'utf8')).split('\n');
  await writeFile(path, [process.pid, ...rest].join('\n'));
}

function isPostmasterOf(pid: number, dataFolder: string): boolean {
  const [program = '', ...args] = commandLineOf(pid);
  return basename(program) === 'postgres' && args.includes(dataFolder);
}
