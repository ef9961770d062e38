import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { EmbeddedError } from '../embedded-error.js';
import { readJsonFile, writeJsonFile } from './json-file.js';
import { killGroup } from './kill-group.js';
import { isStillRunning, type ProcessIdentity, startTokenOf } from './process-identity.js';
import { spawnEnvironment } from './spawn-environment.js';
import { stopProcess, type StopStep } from './stop-process.js';

/** How a program is run whose work must never go on beside what a later supervisor starts. */
export interface RecordedRun {
  /** Names it in errors. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Where its identity is written down before it does anything, and removed when it has ended. */
  readonly recordFile: string;
  /** Told of every line that it prints. */
  readonly onLine: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface RecordedEnd {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  /** The last of what it printed, on either stream. */
  readonly tail: string;
}

const tailLength = 4 * 1024;
const steps: readonly StopStep[] = [
  ['SIGTERM', 10_000],
  ['SIGKILL', 5_000],
];

/**
 * The shell waits for a word before it becomes the program, so nothing is done that is not written down; without the word, because
 * this process has died, it ends. The watcher at file descriptor 3 ends the program when this process does, however that ends.
 */
const gate = '(cat <&3 >/dev/null 2>&1; kill -TERM $$) & read -r go || exit 1; exec "$0" "$@" 3<&- </dev/null';

/**
 * Runs a program to its end. A failing one is a result, not an error.
 * Codes: `cancelled` once the program is gone, `stop-failed` when it does not go.
 */
export async function runRecorded(run: RecordedRun): Promise<RecordedEnd> {
  const child = spawn('/bin/sh', ['-c', gate, run.command, ...run.args], {
    cwd: '/',
    detached: true,
    env: spawnEnvironment(),
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  });
  // A child that ends first must not end this process through its pipes.
  for (const stream of child.stdio) stream?.on('error', () => undefined);
  const output = watchOutput(child, run.onLine);
  const identity = identityOf(child);
  let stop = (): void => undefined;
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', () => resolve(null));
    child.once('exit', resolve);
    stop = () => void stopChild(identity, run.name).catch(reject);
  });
  run.signal.addEventListener('abort', stop, { once: true });
  try {
    await writeJsonFile(run.recordFile, identity);
    if (run.signal.aborted) stop();
    else child.stdin.end('go\n');
    const exitCode = await ended;
    if (run.signal.aborted) throw cancelled(run);
    return { exitCode, tail: await output.tail() };
  } finally {
    run.signal.removeEventListener('abort', stop);
    letGo(child);
    if (!isStillRunning(identity)) await rm(run.recordFile, { force: true });
  }
}

/**
 * Ends what a supervisor that was killed has left running, as written down.
 * Code: `already-running` when it does not end.
 */
export async function stopRecorded(name: string, recordFile: string): Promise<void> {
  const found = await readJsonFile(recordFile);
  if (found.state === 'read') {
    const { pid, startToken } = found.value as Partial<ProcessIdentity>;
    if (typeof pid === 'number' && typeof startToken === 'string' && (await stopProcess({ pid, startToken }, steps)) === 'still-running') {
      throw new EmbeddedError(`${name} (process ${pid}) of an earlier run does not end: stop it and start again`, {
        code: 'already-running',
        operation: 'stop what an earlier run left behind',
        details: { pid },
      });
    }
  }
  await rm(recordFile, { force: true });
}

async function stopChild(identity: ProcessIdentity, name: string): Promise<void> {
  if ((await stopProcess(identity, steps)) !== 'still-running') return;
  throw new EmbeddedError(`${name} (process ${identity.pid}) does not end`, {
    code: 'stop-failed',
    operation: `stop ${name}`,
    details: { pid: identity.pid },
  });
}

function identityOf({ pid }: ChildProcess): ProcessIdentity {
  return { pid: pid ?? -1, startToken: (pid === undefined ? undefined : startTokenOf(pid)) ?? '' };
}

/** `tail` waits for what the program has printed at its end. */
function watchOutput(child: ChildProcess, onLine: (line: string) => void): { readonly tail: () => Promise<string> } {
  let tail = '';
  const take = (line: string): void => {
    tail = `${tail}${line}\n`.slice(-tailLength);
    onLine(line);
  };
  const read = [child.stdout, child.stderr].filter((stream) => stream !== null).map((stream) => readLines(stream, take));
  return {
    tail: async () => {
      // The watcher holds both streams open.
      killGroup(child.pid);
      await Promise.all(read);
      return tail;
    },
  };
}

async function readLines(stream: Readable, take: (line: string) => void): Promise<void> {
  const lines = createInterface({ input: stream }).on('line', take);
  await once(lines, 'close');
}

/** The watcher shares the group, and must be gone before its pipe closes: it would signal an id that is free again. */
function letGo(child: ChildProcess): void {
  killGroup(child.pid);
  for (const stream of child.stdio) stream?.destroy();
}

function cancelled({ name, signal }: RecordedRun): EmbeddedError {
  return new EmbeddedError(`${name} was stopped`, { code: 'cancelled', operation: `run ${name}`, cause: signal.reason });
}
