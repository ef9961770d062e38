import type { ContentCopier, RunJournal } from './ports.js';
import type { RetryPolicy } from './retry-policy.js';
import type { ItemRun } from './run.js';
import type { RunWatch } from './run-watch.js';

export interface RunPorts {
  readonly copier: ContentCopier;
  readonly journal: RunJournal;
  readonly retry: RetryPolicy;
  readonly watch?: RunWatch;
}

/** What every step of one item's run is made under. */
export interface RunContext {
  readonly item: ItemRun;
  readonly ports: RunPorts;
  /** Given when the caller stops the run, or when its lease is lost; the reason says which. */
  readonly signal: AbortSignal;
}
