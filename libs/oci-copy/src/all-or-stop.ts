import { LinkedAbort } from './linked-abort.js';

/**
 * Does `work` for all items at once. At the first failure the others are told to stop and
 * waited for, so that nothing runs on; then it rejects with that failure.
 */
export async function allOrStop<Item, Result>(
  items: readonly Item[],
  signal: AbortSignal,
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
): Promise<Result[]> {
  const abort = new LinkedAbort(signal);
  try {
    const running = items.map((item) => work(item, abort.signal));
    for (const result of running) result.catch(() => abort.abort());
    // The first failure in time is the cause; the later ones are only its consequence.
    return await Promise.all(running).catch(async (error: unknown) => {
      await Promise.allSettled(running);
      throw error;
    });
  } finally {
    abort.release();
  }
}
