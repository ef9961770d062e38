import { type EffectsSeen, lookAtEffects } from './read-back-effects.js';
import { contextOf, type RunContext, type RunPorts } from './run-context.js';
import type { LocationRun, TargetRun } from './run.js';

/** What is done about a target when it has been looked at. */
export type OnceSeen = (target: TargetRun, seen: EffectsSeen) => Promise<void>;

interface TargetToSee {
  readonly run: RunContext;
  readonly target: TargetRun;
}

/**
 * Looks at what the targets of a run hold where effects of ours are open: at all registries at once, since one that is silent must
 * not hold up the others, and at each one target after the other; the next waits for `onceSeen`. A registry that does not
 * answer once is asked no more: of its other targets nothing is seen.
 * Rejects, when the work at all registries has ended, as `lookAtEffects` or `onceSeen` first did.
 */
export async function lookAtTargets({ items }: LocationRun, ports: RunPorts, signal: AbortSignal, onceSeen: OnceSeen): Promise<void> {
  const atRegistry = new Map<string, TargetToSee[]>();
  for (const item of items) {
    const run = contextOf(item, ports, signal);
    for (const target of item.targets) atRegistry.set(target.registry, [...(atRegistry.get(target.registry) ?? []), { run, target }]);
  }
  const looks = [...atRegistry.values()].map((targets) => lookInTurn(targets, onceSeen));
  await Promise.allSettled(looks);
  await Promise.all(looks);
}

async function lookInTurn(targets: readonly TargetToSee[], onceSeen: OnceSeen): Promise<void> {
  let answers = true;
  for (const { run, target } of targets) {
    const seen: EffectsSeen = answers ? await lookAtEffects(run, target) : { readBack: [], isWhole: false };
    answers = seen.isWhole;
    await onceSeen(target, seen);
  }
}
