/**
 * All in milliseconds. Together they make a killed worker's job run elsewhere within about 2 to 5 seconds:
 * its lock runs out, one check marks it, the next takes it over.
 */
export const timing = {
  /** How long `add` and `health` may take. */
  deadline: 2_000,
  /**
   * How long handlers may take to end once their signal is aborted. A handler that promotes tells registries
   * that uploads were given up (each is given 1,500) and gives its lease up, all of it perhaps on a busy machine.
   */
  handlerEnd: 5_000,
  /** How long a job's lock holds without renewal. */
  lock: 3_000,
  lockRenewal: 1_000,
  stalledCheck: 1_000,
  /** The pause of a worker after an error, so that a broken backend is not asked in a tight loop. */
  pauseAfterError: 500,
  /** Between two attempts to connect; grows from the first to the second. */
  reconnect: { first: 50, longest: 1_000 },
  /** How long migrations may take. */
  migration: 60_000,
} as const;

/** The wait before attempt `attempt` (from 1) to connect. */
export function reconnectDelay(attempt: number): number {
  return Math.min(timing.reconnect.first * 2 ** Math.min(attempt - 1, 10), timing.reconnect.longest);
}
