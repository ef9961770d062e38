import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The module that lets Node run the sources; for `node --import`. */
export const typescriptLoader = fileURLToPath(new URL('../../../test/typescript-loader.mjs', import.meta.url));

const repository = fileURLToPath(new URL('../../..', import.meta.url));

export interface TypeScriptProcess {
  readonly pid: number;
  /** The next line that it prints, as JSON; rejects with what it wrote to stderr when it ends first. */
  nextLine(): Promise<unknown>;
  /** Ends it with a signal, at once; resolves when it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/**
 * Runs a module that may import `@waybill/…` as a process of its own, e.g. to kill it. Its environment
 * is this process's with `env` on top.
 */
export function startTypeScript(code: string, env: Readonly<Record<string, string>> = {}): TypeScriptProcess {
  const child = spawn(process.execPath, ['--import', typescriptLoader, '--input-type=module', '--eval', code], {
    cwd: repository,
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString('utf8')).slice(-8192)));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    pid: child.pid ?? -1,
    nextLine: async () => {
      const line: IteratorResult<string, unknown> = await lines.next();
      if (line.done === true) throw new Error(`the process ended without a word: ${complaint}`);
      return JSON.parse(line.value) as unknown;
    },
    kill: (signal = 'SIGKILL') => end(child, signal),
  };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}
