import { type ChildProcess, spawn } from 'node:child_process';
import { open, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddedError, fromChildOutput, fromSystemError } from '../embedded-error.js';
import { findFreePort } from '../process/free-port.js';
import { type ProcessIdentity, startTokenOf } from '../process/process-identity.js';
import { spawnEnvironment } from '../process/spawn-environment.js';
import { stopProcess } from '../process/stop-process.js';
import { waitFor } from '../process/wait.js';
import { readPostmasterFile } from './postmaster-file.js';
import type { RunIdentity } from './run-identity.js';
import { postgresStopSteps } from './stop-steps.js';

export interface LaunchOptions {
  readonly identity: RunIdentity;
  readonly dataFolder: string;
  readonly logFile: string;
  readonly preferredPort?: number | undefined;
  readonly durable: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface LaunchedPostgres extends ProcessIdentity {
  readonly port: number;
  readonly child: ChildProcess;
}

/** A crash recovery replays at most max_wal_size, which takes minutes on a slow disk. */
const readyTimeoutMs = 300_000;
const portTries = 5;
const maxLogBytes = 4 * 1024 * 1024;
const operation = 'start PostgreSQL';

/** Starts the server on a free port of 127.0.0.1 and waits until it takes connections. */
export async function launchPostgres(options: LaunchOptions): Promise<LaunchedPostgres> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await findFreePort(attempt === 1 ? options.preferredPort : undefined);
    try {
      return await launchOn(port, options);
    } catch (error) {
      // Between the look for a free port and the server's bind another program may take it.
      if (!(error instanceof EmbeddedError && error.code === 'port-unavailable') || attempt === portTries) throw error;
    }
  }
}

async function launchOn(port: number, options: LaunchOptions): Promise<LaunchedPostgres> {
  const { identity, dataFolder, signal } = options;
  const log = await openLog(options.logFile);
  const { command, args, uid, gid } = identity.call(identity.binaries.postgres, serverArguments(port, options));
  // A session of its own: Ctrl-C in a terminal must reach the supervisor only, which stops the database last.
  const child = spawn(command, args, {
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
    cwd: '/',
    detached: true,
    env: spawnEnvironment(),
    stdio: ['ignore', log.handle.fd, log.handle.fd],
  });
  const failure = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, killedBy) => resolve(killedBy ?? `code ${code}`));
  });
  await log.handle.close();

  let exit: string | undefined;
  void failure.then((reason) => (exit = reason));
  try {
    const ready = await waitFor(async () => (exit ?? (await isReady(child.pid, dataFolder))) || undefined, {
      timeoutMs: readyTimeoutMs,
      signal,
    });
    if (typeof ready === 'string') {
      throw fromChildOutput(await readFrom(options.logFile, log.start), { operation, exit: ready });
    }
    const startToken = child.pid === undefined ? undefined : startTokenOf(child.pid);
    if (!ready || child.pid === undefined || startToken === undefined) {
      const message = `PostgreSQL is not ready after ${readyTimeoutMs / 1000} s: read ${options.logFile}`;
      throw new EmbeddedError(message, { code: 'start-timeout', operation, retryable: true });
    }
    return { pid: child.pid, startToken, port, child };
  } catch (error) {
    await stopChild(child);
    if (signal?.aborted) throw new EmbeddedError('the start was cancelled', { code: 'cancelled', operation, cause: error });
    throw error;
  }
}

async function isReady(pid: number | undefined, dataFolder: string): Promise<boolean> {
  const file = await readPostmasterFile(dataFolder);
  return file?.pid === pid && file?.isReady === true;
}

/** Everything that must hold whatever the cluster's configuration file says. */
function serverArguments(port: number, { dataFolder, durable }: LaunchOptions): readonly string[] {
  const durability = durable ? 'on' : 'off';
  const settings: Readonly<Record<string, string | number>> = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    fsync: durability,
    synchronous_commit: durability,
    full_page_writes: durability,
    max_connections: 200,
    timezone: 'UTC',
    log_timezone: 'UTC',
    // Failed statements are reported to the client that sent them; their text may hold secrets and stays out of the log.
    log_min_messages: 'log',
    log_min_error_statement: 'panic',
    log_checkpoints: 'off',
  };
  return ['-D', dataFolder, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

/** Opens the log for appending; a long one is put aside first, and only one such is kept. */
async function openLog(path: string): Promise<{ handle: Awaited<ReturnType<typeof open>>; start: number }> {
  try {
    const size = await stat(path).then(
      (found) => found.size,
      () => 0,
    );
    if (size > maxLogBytes) await rename(path, join(`${path}.1`));
    return { handle: await open(path, 'a', 0o600), start: size > maxLogBytes ? 0 : size };
  } catch (cause) {
    throw fromSystemError(cause, { operation: 'open the log of PostgreSQL', path });
  }
}

async function readFrom(path: string, start: number): Promise<string> {
  const bytes = await readFile(path);
  return bytes.subarray(Math.max(start, bytes.length - 4096)).toString('utf8');
}

async function stopChild(child: ChildProcess): Promise<void> {
  const startToken = child.pid === undefined ? undefined : startTokenOf(child.pid);
  if (child.pid !== undefined && startToken !== undefined) await stopProcess({ pid: child.pid, startToken }, postgresStopSteps);
}
