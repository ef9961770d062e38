import { mkdirSync, readFileSync, rmSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 200;
/** A holder writes its name right after it made the folder; one without a name for this long died in between. */
const NAMELESS_MS = 10_000;

/**
 * Runs the work while holding the lock; waits while another living process of this machine holds it.
 * The lock of a process that died is taken over.
 *
 * @template T
 * @param {string} dir the lock: a folder that exists while the lock is held
 * @param {() => Promise<T>} work
 * @param {{ onWait?: (pid: number | undefined) => void }} [options]
 * @returns {Promise<T>}
 */
export async function withLock(dir, work, options = {}) {
  mkdirSync(path.dirname(dir), { recursive: true });
  let told = false;
  while (!tryAcquire(dir)) {
    if (takeOverIfStale(dir)) continue;
    if (!told) options.onWait?.(readOwner(dir)?.pid);
    told = true;
    await delay(POLL_MS);
  }
  const release = () => rmSync(dir, { recursive: true, force: true });
  process.once('exit', release);
  try {
    return await work();
  } finally {
    process.removeListener('exit', release);
    release();
  }
}

/** @param {string} dir */
function tryAcquire(dir) {
  if (!tryMkdir(dir)) return false;
  writeFileSync(ownerFile(dir), JSON.stringify({ pid: process.pid, birth: birthOf(process.pid) }));
  return true;
}

/**
 * Only one process at a time may remove a dead one's lock, and it looks again once it may:
 * otherwise two could both see the dead lock, and the slower would remove the quicker one's new lock.
 *
 * @param {string} dir
 * @returns {boolean} whether to try to acquire again at once
 */
function takeOverIfStale(dir) {
  if (!isStale(dir)) return false;
  const guard = `${dir}.takeover`;
  if (!tryMkdir(guard)) {
    if (ageMs(guard) > NAMELESS_MS) rmSync(guard, { recursive: true, force: true });
    return false;
  }
  try {
    if (isStale(dir)) rmSync(dir, { recursive: true, force: true });
    return true;
  } finally {
    rmdirSync(guard);
  }
}

/** @param {string} dir */
function isStale(dir) {
  const owner = readOwner(dir);
  if (owner === undefined) return ageMs(dir) > NAMELESS_MS;
  return !isAlive(owner.pid) || birthOf(owner.pid) !== owner.birth;
}

/** @param {string} dir @returns {{ pid: number, birth: string | undefined } | undefined} */
function readOwner(dir) {
  try {
    const { pid, birth } = JSON.parse(readFileSync(ownerFile(dir), 'utf8'));
    return { pid, birth };
  } catch {
    return undefined;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

/**
 * When the process was started, in clock ticks since boot (proc(5), field 22 of `stat`), so that a process which
 * got a dead one's id is told from it. Where there is no `/proc`, the id alone must do.
 *
 * @param {number} pid
 * @returns {string | undefined}
 */
function birthOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

/** @param {string} dir */
function tryMkdir(dir) {
  try {
    mkdirSync(dir);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  }
}

/** @param {string} dir */
function ageMs(dir) {
  try {
    return Date.now() - statSync(dir).mtimeMs;
  } catch {
    return 0;
  }
}

/** @param {string} dir */
const ownerFile = (dir) => path.join(dir, 'owner.json');
