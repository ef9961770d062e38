import { spawn } from 'node:child_process';
import { EmbeddedError } from '../embedded-error.js';
import { spawnEnvironment } from './spawn-environment.js';

/** How a program is called. `uid` and `gid` need root. */
export interface ProgramCall {
  readonly command: string;
  readonly args: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
}

export interface ProgramResult {
  /** `null` when a signal ended it or it could not be started at all. */
  readonly exitCode: number | null;
  readonly stdout: string;
  /** For a program that could not be started, what the operating system said. */
  readonly stderr: string;
}

const maxOutput = 64 * 1024;

/** Runs a short program to its end. A failing program is a result, not an error; only a cancel throws. */
export async function runProgram(call: ProgramCall, signal?: AbortSignal): Promise<ProgramResult> {
  const output = { stdout: '', stderr: '' };
  const { uid, gid } = call;
  const child = spawn(call.command, call.args, {
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
    cwd: '/',
    env: spawnEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(signal ? { signal } : {}),
  });
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      output[stream] = (output[stream] + text).slice(-maxOutput);
    });
  }
  const exitCode = await new Promise<number | null>((resolve) => {
    child.once('error', (error) => {
      output.stderr += error.message;
      if (child.pid === undefined) resolve(null);
    });
    child.once('close', resolve);
  });
  if (signal?.aborted) {
    throw new EmbeddedError('the start was cancelled', { code: 'cancelled', operation: `run ${call.command}`, cause: signal.reason });
  }
  return { exitCode, ...output };
}
