import { type Environment, type SourceProcess, startSource } from '../source-process.js';

/** The worker that has failpoints. */
export function startWorker(env: Environment): SourceProcess {
  return startSource('test/endurance/failpoints/worker.ts', env);
}
