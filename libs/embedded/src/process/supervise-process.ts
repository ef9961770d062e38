import { type ChildProcess, spawn } from 'node:child_process';
import { finished } from 'node:stream/promises';
import { EmbeddedError, fromChildOutput } from '../embedded-error.js';
import { killGroup } from './kill-group.js';
import { type ProcessIdentity, startTokenOf } from './process-identity.js';
import { awaitReadiness, type ReadyWhen } from './readiness.js';
import { RotatingLog } from './rotating-log.js';
import { spawnEnvironment } from './spawn-environment.js';
import { stopProcess } from './stop-process.js';

export interface SuperviseProcessOptions {
  /** Names the child in errors, e.g. `the worker`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Added to PATH, HOME and the locale; nothing else of this process's environment reaches the child. */
  readonly env?: Readonly<Record<string, string>>;
  /** What the child prints goes here; the file is bounded. */
  readonly logFile: string;
  readonly maxLogBytes?: number;
  readonly readyWhen: ReadyWhen;
  readonly readyTimeoutMs?: number;
  /**
   * How the child's end is tied to this process's: `stdin` for a program of ours, which ends when its
   * stdin closes; `watcher` for any other, ended by a small shell that waits at a pipe of ours.
   */
  readonly endsWith: 'stdin' | 'watcher';
  /** Default SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
  /** How long `stop` waits before it kills. Default 10 s. */
  readonly stopTimeoutMs?: number;
  /** Called when the child ends after it was ready and without `stop`. */
  readonly onUnexpectedExit?: ((error: EmbeddedError) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A child that was ready. */
export interface SupervisedProcess extends ProcessIdentity {
  readonly name: string;
  /** The line that showed readiness; empty when HTTP did. */
  readonly readyLine: string;
  /** Resolves once the child has ended, with `code 0` or the name of a signal. */
  readonly exited: Promise<string>;
  /** Asks the child to end, kills it after the time; resolves when it is gone. A second call waits for the first. */
  stop(): Promise<void>;
}

const defaultReadyTimeoutMs = 60_000;
const defaultStopTimeoutMs = 10_000;
const killTimeoutMs = 5_000;

/**
 * Starts a child, waits until it is ready and watches it.
 * Codes: `start-failed` (or `disk-full`, `permission-denied`, `port-unavailable` when its last lines say so),
 * `start-timeout`, `cancelled`; later `exited` through the callback.
 */
export async function superviseProcess(options: SuperviseProcessOptions): Promise<SupervisedProcess> {
  const log = await RotatingLog.open(options.logFile, options.maxLogBytes);
  const child = spawnTied(options);
  const running: Running = { child, log, identity: identityOf(child), exited: watchExit(child, log) };
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopping ??= stopChild(running, options));
  try {
    const readyLine = await untilReady(running, options);
    void running.exited.then((exit) => {
      if (stopping === undefined) options.onUnexpectedExit?.(unexpectedExit(exit, options));
    });
    return { ...running.identity, name: options.name, readyLine, exited: running.exited, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Running {
  readonly child: ChildProcess;
  readonly log: RotatingLog;
  readonly identity: ProcessIdentity;
  readonly exited: Promise<string>;
}

/**
 * The watcher waits at file descriptor 3, whose other end only this process holds; whatever ends this
 * process closes it. The program takes the shell's place, so its process id is the child's.
 */
const watcherScript = '(cat <&3 >/dev/null 2>&1; kill -TERM $$) & exec "$0" "$@" 3<&-';

function spawnTied({ command, args, env, endsWith }: SuperviseProcessOptions): ChildProcess {
  // A process group of its own: Ctrl-C in a terminal reaches the supervisor only, which stops its children in order.
  const common = { cwd: '/', detached: true, env: spawnEnvironment(env) };
  if (endsWith === 'stdin') return spawn(command, args, { ...common, stdio: ['pipe', 'pipe', 'pipe'] });
  return spawn('/bin/sh', ['-c', watcherScript, command, ...args], { ...common, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
}

function identityOf({ pid }: ChildProcess): ProcessIdentity {
  return { pid: pid ?? -1, startToken: (pid === undefined ? undefined : startTokenOf(pid)) ?? '' };
}

/** Collects the child's end: both streams drained into the log, the watcher gone, the log closed. */
async function watchExit(child: ChildProcess, log: RotatingLog): Promise<string> {
  for (const stream of [child.stdout, child.stderr]) stream?.pipe(log, { end: false });
  // A child that ends first must not end this process through its pipes.
  for (const stream of child.stdio) stream?.on('error', () => undefined);
  const exit = await new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, killedBy) => resolve(killedBy ?? `code ${code}`));
  });
  // The watcher shares the group, and must be gone before its pipe closes: it would signal an id that is free again.
  killGroup(child.pid);
  const drained = [child.stdout, child.stderr].filter((stream) => stream !== null).map((stream) => finished(stream).catch(() => undefined));
  await Promise.all(drained);
  for (const stream of child.stdio) stream?.destroy();
  await new Promise<void>((resolve) => log.end(resolve));
  return exit;
}

async function untilReady({ child, exited, log }: Running, options: SuperviseProcessOptions): Promise<string> {
  const { name, readyWhen, readyTimeoutMs = defaultReadyTimeoutMs, signal } = options;
  const operation = `start ${name}`;
  const ended = new AbortController();
  void exited.then((exit) => ended.abort(fromChildOutput(log.tail(), { operation, exit })));
  if (child.stdout === null) throw new EmbeddedError(`cannot ${operation}: it has no output`, { code: 'start-failed', operation });

  const stopWaiting = AbortSignal.any([ended.signal, ...(signal ? [signal] : [])]);
  try {
    const readyLine = await awaitReadiness({ readyWhen, stdout: child.stdout, timeoutMs: readyTimeoutMs, signal: stopWaiting });
    if (readyLine !== undefined) return readyLine;
  } catch (cause) {
    if (!signal?.aborted) throw cause;
    throw new EmbeddedError('the start was cancelled', { code: 'cancelled', operation, cause });
  }
  throw new EmbeddedError(`${name} is not ready after ${readyTimeoutMs / 1000} s: read ${options.logFile}\n${log.tail()}`, {
    code: 'start-timeout',
    operation,
    retryable: true,
  });
}

async function stopChild({ identity, exited }: Running, options: SuperviseProcessOptions): Promise<void> {
  const { stopSignal = 'SIGTERM', stopTimeoutMs = defaultStopTimeoutMs } = options;
  const ended = await stopProcess(identity, [
    [stopSignal, stopTimeoutMs],
    ['SIGKILL', killTimeoutMs],
  ]);
  if (ended !== 'still-running') {
    await exited;
    return;
  }
  const message = `${options.name} (process ${identity.pid}) does not end: read ${options.logFile}`;
  throw new EmbeddedError(message, { code: 'stop-failed', operation: `stop ${options.name}`, details: { pid: identity.pid } });
}

function unexpectedExit(exit: string, { name, logFile }: SuperviseProcessOptions): EmbeddedError {
  return new EmbeddedError(`${name} ended by itself with ${exit}: read ${logFile}`, {
    code: 'exited',
    operation: `run ${name}`,
    details: { exit },
  });
}
