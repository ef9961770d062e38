/**
 * Does `work` for all items at once. At the first failure the others are told to stop and
 * waited for, so that nothing runs on; then it rejects with that failure.
 */
export async function allOrStop<Item, Result>(
  items: readonly Item[],
  signal: AbortSignal,
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
): Promise<Result[]> {
  const controller = new AbortController();
  const stop = () => controller.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    const running = items.map((item) => work(item, controller.signal));
    for (const result of running) result.catch(() => controller.abort());
    // The first failure in time is the cause; the later ones are only its consequence.
    return await Promise.all(running).catch(async (error: unknown) => {
      await Promise.allSettled(running);
      throw error;
    });
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
