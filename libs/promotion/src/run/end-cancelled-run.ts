import { cancelled } from '../promotion-error.js';
import { readBackEffects } from './read-back-effects.js';
import { contextOf, type RunContext, type RunPorts } from './run-context.js';
import type { LocationRun, TargetRun } from './run.js';
import { noBytes } from './settle-failure.js';

/**
 * Ends what is left of a cancelled promotion at one location. Nothing is sent any more; what was begun is settled from
 * what the targets hold now, all at once, since one that is silent must not hold up the others.
 * Rejects with what the journal rejects with, or with the signal's reason.
 */
export async function endCancelledRun({ items }: LocationRun, ports: RunPorts, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  // What made the run a cancelled one must not cut short how it ends.
  const { cancellation: _, ...others } = ports;
  const ends = items.flatMap((item) => item.targets.map((target) => endTarget(contextOf(item, others, signal), target)));
  await Promise.allSettled(ends);
  await Promise.all(ends);
}

async function endTarget(run: RunContext, target: TargetRun): Promise<void> {
  const readBack = await readBackEffects(run, target);
  await run.ports.journal.finish(target, {
    ...noBytes,
    outcome: 'cancelled',
    error: cancelled(),
    ...(readBack.length > 0 ? { readBack } : {}),
  });
}
