import type { ContentCopier, RunJournal } from './ports.js';
import type { RetryPolicy } from './retry-policy.js';
import type { ItemRun } from './run.js';
import type { RunWatch } from './run-watch.js';

export interface RunPorts {
  readonly copier: ContentCopier;
  readonly journal: RunJournal;
  readonly retry: RetryPolicy;
  /** Given, with PromotionError `cancelled`, when somebody asked that the promotion be stopped. */
  readonly cancellation?: AbortSignal;
  readonly watch?: RunWatch;
}

/** What every step of one item's run is made under. */
export interface RunContext {
  readonly item: ItemRun;
  readonly ports: RunPorts;
  /** Given when the caller stops the run, when its lease is lost, or when the promotion is cancelled; the reason says which. */
  readonly signal: AbortSignal;
  /** As `signal`, but for a cancellation: a tag that is being written is written to its end. */
  readonly leaseSignal: AbortSignal;
}

/** `signal`: of the caller and of the lease. */
export function contextOf(item: ItemRun, ports: RunPorts, signal: AbortSignal): RunContext {
  const { cancellation } = ports;
  return { item, ports, signal: cancellation === undefined ? signal : AbortSignal.any([signal, cancellation]), leaseSignal: signal };
}
