import { setTimeout as wait } from 'node:timers/promises';

/** Whether `work` resolves in time. It is not stopped: its answer is no longer waited for. */
export async function answersWithin(ms: number, work: Promise<unknown>): Promise<boolean> {
  const answered = new AbortController();
  const late = wait(ms, false, { signal: answered.signal }).catch(() => false);
  const inTime = work.then(
    () => true,
    () => false,
  );
  try {
    return await Promise.race([inTime, late]);
  } finally {
    answered.abort();
  }
}
