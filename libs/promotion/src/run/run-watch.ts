import { systemClock, type WaybillError } from '@waybill/kernel';
import type { CopiedBytes } from './ports.js';
import type { RunContext } from './run-context.js';
import type { ItemRun, TargetRun } from './run.js';

/** What a target goes through, in this order (DESIGN section 4). */
export const runSteps = ['copy', 'verify', 'attest', 'tag'] as const;
export type RunStep = (typeof runSteps)[number];

/** Port: is told how runs go, to measure them. Nothing waits for it, and it must not throw. */
export interface RunWatch {
  /** A step has ended well at a target; `ms` counts from the end of the step before, or from the beginning of the attempt. */
  stepEnded(target: TargetRun, step: RunStep, ms: number): void;
  /** The content has come to a target. */
  contentCame(item: ItemRun, target: TargetRun, bytes: CopiedBytes): void;
  /** A target is tried again later, for this reason. */
  postponed(target: TargetRun, error: WaybillError): void;
}

/** Times the steps of one target, beginning now. */
export class StepTimer {
  readonly #run: RunContext;
  readonly #target: TargetRun;
  #since = systemClock.monotonic();

  constructor(run: RunContext, target: TargetRun) {
    this.#run = run;
    this.#target = target;
  }

  ended(step: RunStep): void {
    const now = systemClock.monotonic();
    this.#run.ports.watch?.stepEnded(this.#target, step, now - this.#since);
    this.#since = now;
  }
}
