import { appendFileSync } from 'node:fs';
import { failpointVariable, leftOutVariable, reachedFileVariable } from './variables.js';

/**
 * - `before`: nothing of the step is durable yet.
 * - `during`: of a transaction, all of it is done and nothing committed; of a blob, its first bytes were handed over.
 * - `after`: the step is durable, and nobody in this process has acted on that yet.
 */
export const moments = ['before', 'during', 'after'] as const;
export type Moment = (typeof moments)[number];

/** The `nth` time (from 1) that a process comes to a moment of a durable step. */
export interface Failpoint {
  /** The port and its method, e.g. `journal.intendTag`. */
  readonly step: string;
  readonly moment: Moment;
  readonly nth: number;
}

export function formatFailpoint({ step, moment, nth }: Failpoint): string {
  return `${step}:${moment}:${nth}`;
}

/** Throws when the text is not `step:moment` or `step:moment:nth`. */
export function parseFailpoint(text: string): Failpoint {
  const [step = '', name, count = '1', ...rest] = text.split(':');
  const moment = moments.find((one) => one === name);
  if (!/^[a-z]+\.[A-Za-z]+$/.test(step) || moment === undefined || !/^[1-9]\d*$/.test(count) || rest.length > 0) {
    throw new Error(`${JSON.stringify(text)} is no failpoint: write step:${moments.join('|')}:nth`);
  }
  return { step, moment, nth: Number(count) };
}

export interface FailpointsOptions {
  readonly planned?: Failpoint | undefined;
  readonly reachedFile?: string | undefined;
  readonly leftOut?: readonly string[];
}

/** Counts the moments that this process comes to, and ends it at the planned one. */
export class Failpoints {
  readonly #options: FailpointsOptions;
  #count = 0;

  constructor(options: FailpointsOptions) {
    this.#options = options;
  }

  static fromEnvironment(env: Readonly<Record<string, string | undefined>>): Failpoints {
    const text = env[failpointVariable];
    return new Failpoints({
      planned: text === undefined ? undefined : parseFailpoint(text),
      reachedFile: env[reachedFileVariable],
      leftOut: env[leftOutVariable]?.split(',') ?? [],
    });
  }

  /** Whether the step is to be passed over as if it had been taken. */
  leavesOut(step: string): boolean {
    return this.#options.leftOut?.includes(step) ?? false;
  }

  reach(step: string, moment: Moment): void {
    const { reachedFile, planned } = this.#options;
    // At once, so that a process that is killed later has told of it.
    if (reachedFile !== undefined) appendFileSync(reachedFile, `${step}:${moment}\n`);
    if (planned?.step !== step || planned.moment !== moment) return;
    this.#count += 1;
    if (this.#count === planned.nth) endAtOnce();
  }
}

/** Nothing runs after this, no handler, no promise, no other request under way. */
function endAtOnce(): never {
  process.kill(process.pid, 'SIGKILL');
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
