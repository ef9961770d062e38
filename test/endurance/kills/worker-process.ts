import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { typescriptLoader } from '@waybill/testing';

const keptLogChars = 64 * 1024;

export type Environment = Readonly<Record<string, string>>;

/** A worker of `failpoints/worker.ts`; it ends with the process that started it. */
export interface WorkerProcess {
  /** Resolves when it is gone: its exit status, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  hasEnded(): boolean;
  signal(name: NodeJS.Signals): void;
  /** Ends it at once; resolves when it is gone. */
  kill(): Promise<void>;
  /** The end of what it wrote. */
  log(): string;
}

export function startWorkerProcess(env: Environment): WorkerProcess {
  const child = spawnTypeScript('../failpoints/worker.ts', env);
  const log = keepLog(child.stdout, child.stderr);
  const ended = endOf(child);
  return {
    ended,
    log,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    signal: (name) => void child.kill(name),
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Runs the workers that go on after others were killed; see `survivor-host.ts`. */
export interface SurvivorHost {
  /** Resolves when a worker with this environment is ready. */
  start(env: Environment): Promise<void>;
  /** Resolves when it has ended in order. */
  end(): Promise<void>;
  log(): string;
  stop(): Promise<void>;
}

export function startSurvivorHost(): SurvivorHost {
  const child = spawnTypeScript('survivor-host.ts', {});
  const log = keepLog(child.stderr);
  const ended = endOf(child);
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const tell = async (env: Environment): Promise<void> => {
    child.stdin.write(`${JSON.stringify(env)}\n`);
    if ((await answers.next()).done === true) throw new Error(`the host of workers ended:\n${log().slice(-2_000)}`);
  };
  return {
    start: (env) => tell(env),
    end: () => tell({}),
    log,
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function spawnTypeScript(file: string, env: Environment): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, ['--import', typescriptLoader, fileURLToPath(new URL(file, import.meta.url))], {
    stdio: 'pipe',
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
  });
  // Its end of the pipe is gone when it is killed.
  child.stdin.on('error', () => undefined);
  return child;
}

function keepLog(...streams: readonly NodeJS.ReadableStream[]): () => string {
  let log = '';
  for (const stream of streams) stream.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-keptLogChars)));
  return () => log;
}

async function endOf(child: ChildProcessWithoutNullStreams): Promise<number | NodeJS.Signals> {
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals];
  return code ?? signal;
}
