import { cancelled } from '../promotion-error.js';
import { type EffectsSeen, lookAtEffects } from './read-back-effects.js';
import { contextOf, type RunContext, type RunPorts } from './run-context.js';
import type { LocationRun, TargetRun } from './run.js';
import { noBytes } from './settle-failure.js';

/**
 * Ends what is left of a cancelled promotion at one location. Nothing is sent any more; what was begun is settled from
 * what the targets hold now: at all registries at once, since one that is silent must not hold up the others, and at each
 * one target after the other, since each end locks the promotion, and whoever waits for a lock keeps a connection from other runs.
 * Rejects with what the journal rejects with, or with the signal's reason.
 */
export async function endCancelledRun({ items }: LocationRun, ports: RunPorts, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  // What made the run a cancelled one must not cut short how it ends.
  const { cancellation: _, ...others } = ports;
  const atRegistry = new Map<string, CancelledTarget[]>();
  for (const item of items) {
    const run = contextOf(item, others, signal);
    for (const target of item.targets) atRegistry.set(target.registry, [...(atRegistry.get(target.registry) ?? []), { run, target }]);
  }
  const ends = [...atRegistry.values()].map(endTargets);
  await Promise.allSettled(ends);
  await Promise.all(ends);
}

interface CancelledTarget {
  readonly run: RunContext;
  readonly target: TargetRun;
}

/** Of one registry, which is asked no more when it does not answer once: what was begun there stays open. */
async function endTargets(targets: readonly CancelledTarget[]): Promise<void> {
  let answers = true;
  for (const { run, target } of targets) {
    const { readBack, isWhole }: EffectsSeen = answers ? await lookAtEffects(run, target) : { readBack: [], isWhole: false };
    answers = isWhole;
    await run.ports.journal.finish(target, {
      ...noBytes,
      outcome: 'cancelled',
      error: cancelled(),
      ...(readBack.length > 0 ? { readBack } : {}),
    });
  }
}
