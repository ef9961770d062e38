import { mkdir, readdir, realpath, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { EmbeddedError, fromSystemError } from './embedded-error.js';
import { readJsonFile, writeJsonFile } from './process/json-file.js';
import { isStillRunning, type ProcessIdentity } from './process/process-identity.js';
import { stopProcess } from './process/stop-process.js';
import { takeFolder } from './process/take-folder.js';

/** A child as it is written down, so that the next supervisor can find it. */
export interface ChildRecord extends ProcessIdentity {
  readonly name: string;
  readonly command: string;
  readonly port?: number;
}

/**
 * The folder in which one supervisor writes down its children. The database is not among them: it has a
 * lock of its own and is adopted, not stopped.
 */
export interface RunLock {
  /** Publishes where the supervisor's API answers; the refusal of a second supervisor names it. */
  announce(address: string): Promise<void>;
  record(child: ChildRecord): Promise<void>;
  forget(name: string): Promise<void>;
  /** Gives the folder free. Children still on record are the next supervisor's to stop. */
  release(): Promise<void>;
  /** What an earlier supervisor left behind and was stopped. */
  readonly stopped: readonly ChildRecord[];
}

const stopTimeoutMs = 10_000;
const killTimeoutMs = 5_000;

/**
 * Makes this process the only supervisor of `dir` (made when absent) and stops what a killed one left
 * running there, before anything new starts.
 * Codes: `already-running` with `pid` and `address`, `permission-denied`, `disk-full`.
 */
export async function acquireRunLock(dir: string): Promise<RunLock> {
  const folder = await openFolder(dir);
  const lock = await takeFolder({ what: 'waybill', folder, lockFile: join(folder, 'supervisor.lock') });
  const children = join(folder, 'children');
  const fileOf = (name: string): string => join(children, `${name.replaceAll(/[^\w.-]/g, '_')}.json`);
  try {
    return {
      announce: (address) => lock.announce(address),
      record: (child) => writeJsonFile(fileOf(child.name), child),
      forget: (name) => rm(fileOf(name), { force: true }),
      release: () => lock.release(),
      stopped: await stopLeftovers(children),
    };
  } catch (cause) {
    await lock.release();
    throw fromSystemError(cause, { operation: 'stop what an earlier run left behind', path: folder });
  }
}

async function openFolder(dir: string): Promise<string> {
  try {
    await mkdir(join(dir, 'children'), { recursive: true, mode: 0o700 });
    return await realpath(dir);
  } catch (cause) {
    throw fromSystemError(cause, { operation: 'open the run folder', path: dir });
  }
}

async function stopLeftovers(folder: string): Promise<readonly ChildRecord[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json'));
  const stopped = await Promise.all(names.map((name) => stopLeftover(join(folder, name))));
  return stopped.filter((child) => child !== undefined);
}

async function stopLeftover(file: string): Promise<ChildRecord | undefined> {
  const child = await readRecord(file);
  const wasRunning = child !== undefined && isStillRunning(child);
  if (wasRunning) {
    const ended = await stopProcess(child, [
      ['SIGTERM', stopTimeoutMs],
      ['SIGKILL', killTimeoutMs],
    ]);
    if (ended === 'still-running') throw leftoverStays(child);
  }
  await rm(file, { force: true });
  return wasRunning ? child : undefined;
}

async function readRecord(file: string): Promise<ChildRecord | undefined> {
  const found = await readJsonFile(file);
  if (found.state !== 'read') return undefined;
  const { pid, startToken, command, port, name = basename(file, '.json') } = found.value as Partial<ChildRecord>;
  if (typeof pid !== 'number' || typeof startToken !== 'string') return undefined;
  return { name, pid, startToken, command: command ?? '', ...(port === undefined ? {} : { port }) };
}

function leftoverStays(child: ChildRecord): EmbeddedError {
  const message = `${child.name} (process ${child.pid}) of an earlier run does not end: stop it and start again`;
  return new EmbeddedError(message, {
    code: 'already-running',
    operation: 'stop what an earlier run left behind',
    details: { pid: child.pid },
  });
}
