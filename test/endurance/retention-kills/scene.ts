import type { SourceProcess } from '../source-process.js';
import type { Stage } from './stage.js';

/** What a run of retention, and what people ask of the trash after it, goes through. Whatever a worker dies of in it, its end is the same. */
export interface Scene {
  readonly title: string;
  /** When the policy is due and before the first worker that may die of a failpoint. */
  prepare(stage: Stage): Promise<void>;
  /** While workers run; ends before everything is over. */
  disturb(stage: Stage, worker: SourceProcess): Promise<void>;
}

const nothing = (): Promise<void> => Promise.resolve();

/** A scene in which nothing happens. */
export const quiet = { prepare: nothing, disturb: nothing } as const;
