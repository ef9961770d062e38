import { setTimeout as wait } from 'node:timers/promises';
import { isDatabaseUnavailable } from './database-unavailable.js';

export interface Patience {
  /** Called once, with the first failure. */
  readonly onAway: (error: unknown) => void;
  /** How long to try, in milliseconds; default one minute. */
  readonly patienceMs?: number;
}

const defaultPatienceMs = 60_000;
const pauseMs = 500;

/**
 * Does what a process cannot start without, again while the database is away: it may be restarted at the same time.
 * Rejects as `work` does when that was a mistake, and when patience has ended. `work` must be safe to repeat.
 */
export async function untilDatabaseAnswers<T>(work: () => Promise<T>, { onAway, patienceMs = defaultPatienceMs }: Patience): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isDatabaseUnavailable(error) || performance.now() + pauseMs > deadline) throw error;
      if (attempt === 1) onAway(error);
      await wait(pauseMs);
    }
  }
}
