import { mkdir, statfs } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { acquireRunLock, type RunLock } from '@waybill/embedded';
import { WaybillError } from '@waybill/kernel';
import { formatBytes } from '../output/format.js';
import { messageOf, systemCodeOf } from '../system-error.js';
import { type AdminKey, adminKey } from './admin-key.js';
import type { Stack } from './stack.js';

/** The folder for the data cannot be used. */
export class DataFolderError extends WaybillError<'folder-unusable'> {}

export interface DataFolder {
  /** Absolute. */
  readonly dir: string;
  readonly logs: string;
  readonly lock: RunLock;
  readonly key: AdminKey;
}

const advice: Readonly<Record<string, string>> = {
  EACCES: 'permission denied; run as its owner, or name another folder with --data',
  EPERM: 'permission denied; run as its owner, or name another folder with --data',
  ENOENT: 'it cannot be made there; name another folder with --data', // what Node 20 says on a read-only file system
  EROFS: 'its file system is read-only; name another folder with --data',
  ENOSPC: 'the disk is full; free some space and start again',
  EDQUOT: 'the disk quota is used up; free some space and start again',
  ENOTDIR: 'a part of its path is a file; name another folder with --data',
  EEXIST: 'there is a file of this name; name another folder with --data',
};

/**
 * Opens the folder of a run and makes this process its only user before anything in it is touched.
 * @throws DataFolderError; EmbeddedError `already-running` with process id and address; AdminKeyError
 */
export async function openDataFolder(data: string, stack: Stack): Promise<DataFolder> {
  const dir = resolve(data);
  const logs = join(dir, 'logs');
  try {
    // Others may pass through, for as root the database runs as `nobody`; what is secret has modes of its own.
    await mkdir(logs, { recursive: true, mode: 0o711 });
    const lock = await acquireRunLock(join(dir, 'run'));
    stack.push(() => lock.release());
    return { dir, logs, lock, key: await adminKey(dir) };
  } catch (cause) {
    if (cause instanceof WaybillError) throw cause;
    const reason = advice[systemCodeOf(cause) ?? ''] ?? messageOf(cause);
    throw new DataFolderError(`the data folder ${dir} cannot be used: ${reason}`, {
      code: 'folder-unusable',
      operation: 'open data folder',
      cause,
    });
  }
}

const scarceBytes = 16 * 1024 * 1024;

/** A full disk shows in many ways, few of which name it. Gives a sentence when the folder's disk is as good as full. */
export async function lackOfSpace(data: string): Promise<string | undefined> {
  const disk = await statfs(resolve(data)).catch(() => undefined);
  if (disk === undefined || disk.bavail * disk.bsize > scarceBytes) return undefined;
  return `Only ${formatBytes(disk.bavail * disk.bsize)} are free at ${resolve(data)}: free some space and start again.`;
}
