import { setTimeout as delay } from 'node:timers/promises';

/** Asks again and again until it is so; throws with `what` when the deadline passes. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>, deadlineMs = 60_000): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`waited ${deadlineMs} ms in vain until ${what}`);
    await delay(10);
  }
}
