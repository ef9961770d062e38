import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

export const repository = resolve(import.meta.dirname, '../../../..');

/** Builds what the real processes are made of; a build that fails fails the specs with its output. */
export function build(): void {
  const { status, stdout } = spawnSync(process.execPath, [join(repository, 'node_modules/typescript/bin/tsc'), '--build'], {
    cwd: repository,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the build failed, and these specs run what is built:\n${stdout}`);
}

export interface Start {
  readonly args: readonly string[];
  /** The checkout to run, default this one. */
  readonly root?: string;
  readonly path?: string;
  readonly uid?: number;
}

const running = new Set<ChildProcess>();

/** `waybill up`, as a process of its own and in a folder of its own. */
export class WaybillProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | string>;
  stdout = '';
  stderr = '';

  constructor({ args, root = repository, path, uid }: Start) {
    const child = spawn(process.execPath, [join(root, 'apps/cli/bin/waybill.mjs'), 'up', ...args], {
      cwd: root,
      env: { PATH: path ?? '/usr/local/bin:/usr/bin:/bin', HOME: root },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    child.stdout.on('data', (chunk: Buffer) => (this.stdout += chunk.toString('utf8')));
    child.stderr.on('data', (chunk: Buffer) => (this.stderr += chunk.toString('utf8')));
    this.#child = child;
    running.add(child);
    this.#ended = once(child, 'close').then(([code, signal]) => {
      running.delete(child);
      return (code ?? signal) as number | string;
    });
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** Resolves when it has said this; rejects with all it said when it ends before. */
  async said(text: string): Promise<void> {
    const end = this.#ended.then((status) => {
      if (!this.stdout.includes(text)) throw new Error(`it ended with ${status} and did not say "${text}":\n${this.stdout}${this.stderr}`);
    });
    while (!this.stdout.includes(text)) await Promise.race([once(this.#child.stdout ?? this.#child, 'data'), end]);
  }

  /** The exit status, or the name of the signal that ended it. */
  ended(): Promise<number | string> {
    return this.#ended;
  }

  kill(signal: NodeJS.Signals): Promise<number | string> {
    this.#child.kill(signal);
    return this.#ended;
  }
}

/** Ends what a failed test left running; it stops its own children. */
export async function endAll(): Promise<void> {
  await Promise.all([...running].map((child) => (child.kill('SIGTERM'), once(child, 'close'))));
}

/** The process ids of everything that a run has started: by its records, and the database by its own file. */
export async function childrenOf(data: string): Promise<number[]> {
  const records = join(data, 'run/children');
  const files = (await readdir(records)).filter((name) => name.endsWith('.json'));
  const children = await Promise.all(files.map(async (name) => JSON.parse(await readFile(join(records, name), 'utf8')) as { pid: number }));
  const database = Number.parseInt(await readFile(join(data, 'postgres/data/postmaster.pid'), 'utf8'), 10);
  return [database, ...children.map(({ pid }) => pid)];
}

/** A process that is gone, or only waits to be reaped by a parent that is not ours. */
export async function isGone(pid: number): Promise<boolean> {
  const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return state === undefined || /\) [ZX] /.test(state);
}
