import { createInterface } from 'node:readline';
import { type Environment, startSource } from '../source-process.js';

/** Runs the workers that go on after others were killed; see `survivor-host.ts`. */
export interface Survivors {
  /** Resolves when a worker with this environment is ready. */
  start(env: Environment): Promise<void>;
  /** Resolves when it has ended in order. */
  end(): Promise<void>;
  log(): string;
  stop(): Promise<void>;
}

export function startSurvivors(): Survivors {
  const host = startSource('test/endurance/kills/survivor-host.ts');
  const answers = createInterface({ input: host.child.stdout })[Symbol.asyncIterator]();
  const tell = async (env: Environment): Promise<void> => {
    host.child.stdin.write(`${JSON.stringify(env)}\n`);
    if ((await answers.next()).done === true) throw new Error(`the host of workers ended:\n${host.log().slice(-2_000)}`);
  };
  return { start: (env) => tell(env), end: () => tell({}), log: () => host.log(), stop: () => host.kill() };
}
