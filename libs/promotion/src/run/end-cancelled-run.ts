import { cancelled } from '../promotion-error.js';
import { lookAtTargets } from './look-at-targets.js';
import type { RunPorts } from './run-context.js';
import type { LocationRun } from './run.js';
import { noBytes } from './settle-failure.js';

/**
 * Ends what is left of a cancelled promotion at one location. Nothing is sent any more; what was begun is settled from
 * what the targets hold now. At each registry one target ends after the other, since each end locks the promotion,
 * and whoever waits for a lock keeps a connection from other runs.
 * Rejects with what the journal rejects with, or with the signal's reason.
 */
export async function endCancelledRun(run: LocationRun, ports: RunPorts, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  // What made the run a cancelled one must not cut short how it ends.
  const { cancellation: _, ...others } = ports;
  await lookAtTargets(run, others, signal, (target, { readBack }) =>
    ports.journal.finish(target, { ...noBytes, outcome: 'cancelled', error: cancelled(), ...(readBack.length > 0 ? { readBack } : {}) }),
  );
}
