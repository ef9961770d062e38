import { chown, lchown, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddedError, fromChildOutput, fromSystemError } from '../embedded-error.js';
import { runProgram } from '../process/run-program.js';
import type { RunIdentity } from './run-identity.js';

/** The one major version that this release runs on; a data folder of another cannot be opened by it. */
export const postgresMajor = 18;

/** The superuser that initdb makes. Only the starter and tests speak as it. */
export const adminRole = 'waybill_admin';

/** The folder of the cluster inside its home. */
export function clusterIn(home: string): string {
  return join(home, 'data');
}

/**
 * Tells whether a cluster stands in `dataFolder`. Code: `wrong-major`, with the way out,
 * when it is one of another major version.
 */
export async function findCluster(dataFolder: string): Promise<boolean> {
  const major = await readFile(join(dataFolder, 'PG_VERSION'), 'utf8').catch(() => undefined);
  if (major === undefined) return false;
  if (major.trim() === String(postgresMajor)) return true;
  const message =
    `${dataFolder} was written by PostgreSQL ${major.trim()}, this release runs PostgreSQL ${postgresMajor}: ` +
    `dump it with the release that wrote it (pg_dumpall) and load the dump into a new folder, or move the folder away to begin anew`;
  throw new EmbeddedError(message, {
    code: 'wrong-major',
    operation: 'open the data folder',
    details: { found: major.trim(), wanted: postgresMajor },
  });
}

export interface PrepareClusterOptions {
  readonly identity: RunIdentity;
  readonly adminPassword: string;
  /** False only for data that may be lost: the files are not flushed to the disk. */
  readonly durable: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes the cluster when there is none, and gives its files to the identity that will open them.
 * A new cluster appears by one rename, so a start that dies in the middle leaves nothing half-made.
 */
export async function prepareCluster(options: PrepareClusterOptions): Promise<string> {
  const { home, owner } = options.identity;
  const target = clusterIn(home);
  try {
    if (!(await findCluster(target))) await initialise(target, options);
    await giveTo(target, owner);
    return target;
  } catch (cause) {
    throw fromSystemError(cause, { operation: 'prepare the database', path: target });
  }
}

async function initialise(target: string, options: PrepareClusterOptions): Promise<void> {
  const { identity, adminPassword, durable, signal } = options;
  const draft = `${target}.new`;
  const passwordFile = join(identity.home, 'initdb.password');
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  await chown(draft, identity.owner.uid, identity.owner.gid);
  try {
    await writeFile(passwordFile, adminPassword, { mode: 0o600 });
    await chown(passwordFile, identity.owner.uid, identity.owner.gid);
    const args = ['-D', draft, '-U', adminRole, `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8'];
    // Built in since PostgreSQL 17: sorts the same on every system, whatever its C library.
    args.push('--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8');
    if (!durable) args.push('--no-sync');
    const result = await runProgram(identity.call(identity.binaries.initdb, args), signal);
    if (result.exitCode !== 0) {
      throw fromChildOutput(result.stderr, { operation: 'make the database (initdb)', exit: `code ${result.exitCode}` });
    }
    await rename(draft, target);
  } finally {
    await rm(passwordFile, { force: true });
  }
}

/** PostgreSQL opens only a folder that its own user owns; an earlier start may have run as another. */
async function giveTo(folder: string, owner: RunIdentity['owner']): Promise<void> {
  const { uid, gid } = await stat(folder);
  if (uid === owner.uid && gid === owner.gid) return;
  if (process.getuid?.() !== 0) {
    if (uid === owner.uid) return;
    const message = `${folder} belongs to another user (uid ${uid}): run waybill as that user, or give the folder to yours with chown -R`;
    throw new EmbeddedError(message, { code: 'permission-denied', operation: 'open the data folder' });
  }
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    await lchown(join(entry.parentPath, entry.name), owner.uid, owner.gid);
  }
  // The folder itself comes last: until then a start that died in the middle is repeated.
  await chown(folder, owner.uid, owner.gid);
}
