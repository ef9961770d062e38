import { setTimeout as delay } from 'node:timers/promises';
import { QueueError } from './queue-error.js';

/**
 * The outcome of a promise, or `queue-unavailable` when it takes longer. The promise itself goes on; its late failure is dropped.
 */
export async function withDeadline<T>(operation: string, ms: number, promise: Promise<T>): Promise<T> {
  const late = Symbol('late');
  const winner = await within(promise, ms, late);
  if (winner !== late) return winner;
  throw new QueueError(`the queue did not answer within ${ms} ms`, { code: 'queue-unavailable', operation });
}

/** Whether a promise was settled in time, whatever its outcome. */
export async function settlesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const settled = promise.then(
    () => true,
    () => true,
  );
  return within(settled, ms, false);
}

async function within<T, L>(promise: Promise<T>, ms: number, late: L): Promise<T | L> {
  const timer = new AbortController();
  promise.catch(() => undefined);
  try {
    return await Promise.race([promise, delay(ms, late, { signal: timer.signal })]);
  } finally {
    timer.abort();
  }
}
