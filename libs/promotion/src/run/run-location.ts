import { isLeaseLost, PromotionError } from '../promotion-error.js';
import type { EffectReadBack } from './ports.js';
import { readBackEffects } from './read-back-effects.js';
import type { RunPorts } from './run-context.js';
import { runItem } from './run-item.js';
import type { LocationRun } from './run.js';

/**
 * Runs what one promotion has to do at one location, item after item.
 *
 * A promotion whose path was removed is rejected when nothing of it was tagged yet; afterwards
 * it goes on as it was pinned. An item that breaks off does not stop the others (DESIGN invariant 8).
 * Rejects as `runItem` does, with the first item's reason.
 */
export async function runLocation(run: LocationRun, ports: RunPorts, signal: AbortSignal): Promise<void> {
  if (run.removedPath !== undefined && (await rejected(run, run.removedPath, { ports, signal }))) return;
  const broken: { readonly error: unknown }[] = [];
  for (const item of run.items) {
    try {
      await runItem(item, ports, signal);
    } catch (error) {
      if (isLeaseLost(error) || signal.aborted) throw error;
      broken.push({ error });
    }
  }
  const [first] = broken;
  if (first !== undefined) throw first.error;
}

async function rejected(
  run: LocationRun,
  path: string,
  { ports, signal }: { readonly ports: RunPorts; readonly signal: AbortSignal },
): Promise<boolean> {
  signal.throwIfAborted();
  const readBack: EffectReadBack[] = [];
  for (const item of run.items) {
    for (const target of item.targets) readBack.push(...(await readBackEffects({ item, ports, signal }, target)));
  }
  const reason = new PromotionError(`path ${path} was removed from the topology before anything was tagged`, {
    code: 'path-removed',
    operation: 'run promotion',
    details: { path },
  });
  return ports.journal.reject(reason, readBack);
}
