import { randomBytes } from 'node:crypto';
import { link, rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { isStillRunning, ownIdentity } from './process-identity.js';
import { readJsonFile, writeJsonFile } from './json-file.js';
import { systemCodeOf } from './system-error.js';

/**
 * A lock file held by a process for as long as it lives.
 *
 * Invariants: the file appears whole (hard link of a finished file), so a holder can always be read;
 * a dead holder's file is removed only by the one process that holds the lock named after that
 * file's own nonce, so two processes that find the same corpse cannot remove each other's new lock.
 */
export interface LockHolder {
  readonly pid: number;
  readonly startToken: string;
  readonly nonce: string;
  /** Where the holder can be reached, once it is known. */
  readonly address?: string;
}

export interface HeldLock {
  readonly outcome: 'held';
  /** Publishes the address of what the holder started. */
  announce(address: string): Promise<void>;
  release(): Promise<void>;
}

/** Another living process has it. */
export interface LockTaken {
  readonly outcome: 'taken';
  readonly holder: LockHolder;
}

/** Tries to take the lock at `path`; never waits for a living holder. */
export async function acquireLock(path: string): Promise<HeldLock | LockTaken> {
  const own: LockHolder = { ...ownIdentity(), nonce: randomBytes(8).toString('hex') };
  const draft = `${path}.${own.nonce}`;
  await writeJsonFile(draft, own);
  try {
    for (;;) {
      if (await linkIfAbsent(draft, path)) return heldLock(path, own);
      const holder = await readHolder(path);
      if (holder === 'absent') continue;
      if (holder !== 'damaged' && isStillRunning(holder)) return { outcome: 'taken', holder };
      await removeCorpse(path, nonceOf(holder));
    }
  } finally {
    await rm(draft, { force: true });
  }
}

function heldLock(path: string, own: LockHolder): HeldLock {
  return {
    outcome: 'held',
    announce: (address) => writeJsonFile(path, { ...own, address }),
    release: async () => {
      if (nonceOf(await readHolder(path)) === own.nonce) await rm(path, { force: true });
    },
  };
}

async function removeCorpse(path: string, nonce: string): Promise<void> {
  const burial = await acquireLock(`${path}.after-${nonce}`);
  if (burial.outcome === 'taken') {
    await delay(5);
    return;
  }
  try {
    if (nonceOf(await readHolder(path)) === nonce) await rm(path, { force: true });
  } finally {
    await burial.release();
  }
}

async function linkIfAbsent(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (systemCodeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

type Found = LockHolder | 'absent' | 'damaged';

async function readHolder(path: string): Promise<Found> {
  const file = await readJsonFile(path);
  if (file.state !== 'read') return file.state;
  const { pid, startToken, nonce, address } = file.value as Partial<LockHolder>;
  if (typeof pid !== 'number' || typeof startToken !== 'string' || typeof nonce !== 'string') return 'damaged';
  return { pid, startToken, nonce, ...(typeof address === 'string' ? { address } : {}) };
}

function nonceOf(found: Found): string {
  return typeof found === 'string' ? found : found.nonce;
}
