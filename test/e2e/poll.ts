import { setTimeout as wait } from 'node:timers/promises';

const pollMs = 50;
const deadlineMs = 90_000;

/** Asks until the answer is no longer undefined. `what` is what the deadline's error says was waited for. */
export async function until<T>(what: string, ask: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`${what} did not come about within ${deadlineMs} ms`);
    await wait(pollMs);
  }
}
