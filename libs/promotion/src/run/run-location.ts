import { isCancelled, isLeaseLost, PromotionError } from '../promotion-error.js';
import type { EffectReadBack } from './ports.js';
import { ItemsInTurn } from './items-in-turn.js';
import { lookAtTargets } from './look-at-targets.js';
import type { RunPorts } from './run-context.js';
import { beginItem } from './run-item.js';
import type { LocationRun } from './run.js';

/**
 * Runs what one promotion has to do at one location, several items at a time.
 *
 * A promotion whose path was removed is rejected when nothing of it was tagged yet; afterwards
 * it goes on as it was pinned. An item that breaks off does not stop the others (DESIGN invariant 8).
 * Rejects as `runItem` does, with the reason of the item that broke off first.
 */
export async function runLocation(run: LocationRun, ports: RunPorts, signal: AbortSignal): Promise<void> {
  if (run.removedPath !== undefined && (await rejected(run, run.removedPath, { ports, signal }))) return;
  const loss = new AbortController();
  const items = new ItemsInTurn(run.items, async (item, onContent) => {
    const { hasContent, ended } = beginItem(item, ports, AbortSignal.any([signal, loss.signal]));
    void hasContent.then(onContent);
    await ended.catch((error: unknown) => {
      if (isLeaseLost(error)) loss.abort(error);
      if (isLeaseLost(error) || isCancelled(error) || signal.aborted) items.stop();
      throw error;
    });
  });
  const [first] = await items.run();
  if (first !== undefined) throw first.error;
}

async function rejected(
  run: LocationRun,
  path: string,
  { ports, signal }: { readonly ports: RunPorts; readonly signal: AbortSignal },
): Promise<boolean> {
  signal.throwIfAborted();
  const readBack: EffectReadBack[] = [];
  await lookAtTargets(run, ports, signal, (_target, seen) => Promise.resolve(void readBack.push(...seen.readBack)));
  const reason = new PromotionError(`path ${path} was removed from the topology before anything was tagged`, {
    code: 'path-removed',
    operation: 'run promotion',
    details: { path },
  });
  return ports.journal.reject(reason, readBack);
}
