import { EmbeddedError, fromSystemError } from '../embedded-error.js';
import { acquireLock, type HeldLock } from './exclusive-lock.js';

export interface TakeFolderOptions {
  /** What runs there, e.g. `the database`. */
  readonly what: string;
  readonly folder: string;
  readonly lockFile: string;
}

/** Makes this process the only supervisor of a folder. Code: `already-running`, with the holder's `pid` and `address`. */
export async function takeFolder({ what, folder, lockFile }: TakeFolderOptions): Promise<HeldLock> {
  const lock = await acquireLock(lockFile).catch((cause: unknown) => {
    throw fromSystemError(cause, { operation: `lock the folder of ${what}`, path: folder });
  });
  if (lock.outcome === 'held') return lock;
  const { pid, address } = lock.holder;
  const where = address === undefined ? 'and is still starting' : `at ${address}`;
  throw new EmbeddedError(`process ${pid} already runs ${what} in ${folder} ${where}: use it, or stop it first`, {
    code: 'already-running',
    operation: `start ${what}`,
    retryable: true,
    details: { pid, ...(address === undefined ? {} : { address }) },
  });
}
