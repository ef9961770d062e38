import type { Digest } from '@waybill/oci-model';
import type { EffectReadBack, UnsettledEffect } from './ports.js';
import type { RunContext } from './run-context.js';
import type { TargetRun } from './run.js';

/** How long a target may take to show what became of our effects, in milliseconds. */
const readBackMs = 10_000;

/** What a target was seen to hold. */
export interface EffectsSeen {
  readonly readBack: readonly EffectReadBack[];
  /** Nothing was left out. */
  readonly isWhole: boolean;
}

/**
 * Reads what the target holds where effects of ours are open. What cannot be read is left out:
 * unknown is neither written nor not written. A registry that took the place of the target is not asked.
 * Rejects with what the journal rejects with, or with the run's signal.
 */
export async function readBackEffects(run: RunContext, target: TargetRun): Promise<readonly EffectReadBack[]> {
  return (await lookAtEffects(run, target)).readBack;
}

/** Like `readBackEffects`, for whoever has more to ask the same registry. */
export async function lookAtEffects(run: RunContext, target: TargetRun): Promise<EffectsSeen> {
  if (target.isReplaced) return { readBack: [], isWhole: true };
  const effects = await run.ports.journal.unsettledEffects(target);
  const signal = AbortSignal.any([run.signal, AbortSignal.timeout(readBackMs)]);
  const readBack: EffectReadBack[] = [];
  try {
    for (const effect of effects) readBack.push({ effectId: effect.id, found: await read(run, target, effect, signal) });
  } catch {
    // A target that does not answer once is not asked for the rest.
    run.signal.throwIfAborted();
  }
  return { readBack, isWhole: readBack.length === effects.length };
}

async function read(run: RunContext, target: TargetRun, effect: UnsettledEffect, signal: AbortSignal): Promise<Digest | undefined> {
  const { copier } = run.ports;
  if (effect.kind === 'tag') return copier.resolveTargetTag(target, effect.tag, signal);
  return (await copier.holdsManifest(target, effect.digest, signal)) ? effect.digest : undefined;
}
