import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { root } from '../../scripts/bootstrap/paths.mjs';
import { typescriptLoader } from '@waybill/testing';

const keptLogChars = 64 * 1024;

export type Environment = Readonly<Record<string, string>>;

/** A process of ours that runs from its sources, e.g. to be killed; it ends with the process that started it. */
export interface SourceProcess {
  /** Its own streams, for whoever talks to it. */
  readonly child: ChildProcessWithoutNullStreams;
  /** Resolves when it is gone: its exit status, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  hasEnded(): boolean;
  signal(name: NodeJS.Signals): void;
  /** Ends it at once; resolves when it is gone. */
  kill(): Promise<void>;
  /** The end of what it wrote. */
  log(): string;
}

/** Starts a TypeScript file, named from the root of the repository; nothing of this process's environment reaches it but PATH and HOME. */
export function startSource(file: string, env: Environment = {}): SourceProcess {
  const child = spawn(process.execPath, ['--import', typescriptLoader, join(root, file)], {
    stdio: 'pipe',
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
  });
  // Its end of the pipe is gone when it is killed.
  child.stdin.on('error', () => undefined);
  let log = '';
  const keep = (text: string): void => void (log = (log + text).slice(-keptLogChars));
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', keep);
  const ended = endOf(child);
  return {
    child,
    ended,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    signal: (name) => void child.kill(name),
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
    log: () => log,
  };
}

async function endOf(child: ChildProcessWithoutNullStreams): Promise<number | NodeJS.Signals> {
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals];
  return code ?? signal;
}
