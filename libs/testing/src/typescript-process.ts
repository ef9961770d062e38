import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The module that lets Node run the sources; for `node --import`. */
export const typescriptLoader = fileURLToPath(new URL('../../../test/typescript-loader.mjs', import.meta.url));

const repository = fileURLToPath(new URL('../../..', import.meta.url));

/** How a process ended: by itself, or by a signal. */
export type ProcessEnd = { readonly code: number } | { readonly signal: NodeJS.Signals };

export interface TypeScriptProcess {
  readonly pid: number;
  /** Resolves when it is gone, however that came about. */
  readonly ended: Promise<ProcessEnd>;
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
  const ended = once(child, 'exit').then(([code, signal]: readonly unknown[]) => endOf(code, signal));
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString('utf8')).slice(-8192)));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    pid: child.pid ?? -1,
    ended,
    nextLine: async () => {
      const line: IteratorResult<string, unknown> = await lines.next();
      if (line.done === true) throw new Error(`the process ended without a word: ${complaint}`);
      return JSON.parse(line.value) as unknown;
    },
    kill: async (signal = 'SIGKILL') => {
      // What is gone takes no signal.
      child.kill(signal);
      await ended;
    },
  };
}

function endOf(code: unknown, signal: unknown): ProcessEnd {
  return typeof code === 'number' ? { code } : { signal: signal as NodeJS.Signals };
}
