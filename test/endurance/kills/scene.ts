import type { SourceProcess } from '../source-process.js';
import type { CountName } from './counts.js';
import type { Stage } from './stage.js';

/** What a promotion goes through. Whatever a worker dies of in it, its end is the same. */
export interface Scene {
  readonly title: string;
  /** After the request and before the first worker that may die of a failpoint. */
  prepare(stage: Stage): Promise<void>;
  /** While workers run; ends before the promotion does. */
  disturb(stage: Stage, worker: SourceProcess): Promise<void>;
  /** Steps that have something to do in this scene alone: the first time that they come is tried here and nowhere else. */
  readonly itsOwn?: readonly string[];
  /** Steps that lead out of this scene: so many of the last times that they come are tried here too, whatever was tried before. */
  readonly itsLast?: Readonly<Record<string, number>>;
  /** Numbers that hang on when the trouble meets whom, so that they are others each time. */
  readonly variesIn?: readonly CountName[];
}

const nothing = (): Promise<void> => Promise.resolve();

/** A scene in which nothing happens. */
export const quiet = { prepare: nothing, disturb: nothing } as const;
