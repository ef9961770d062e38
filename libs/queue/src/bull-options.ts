import { timing } from './timing.js';

/** The database decides about retries; the queue forgets a job as soon as it ran. */
export const jobOptions = { attempts: 1, removeOnComplete: true, removeOnFail: true } as const;

/** Events are read by nobody; BullMQ always writes them, so few are kept. */
export const queueOptions = { streams: { events: { maxLen: 100 } } } as const;

/** Options of every worker but its connection and concurrency. */
export const workerOptions = {
  autorun: false,
  /** In seconds. Also bounds how long a wait that died with its connection goes unnoticed (BullMQ's watchdog adds one). */
  drainDelay: 2,
  lockDuration: timing.lock,
  lockRenewTime: timing.lockRenewal,
  stalledInterval: timing.stalledCheck,
  skipStalledCheck: true,
  /** So high that the queue never gives a job up; it fits PostgreSQL's `integer`. */
  maxStalledCount: 1_000_000_000,
  runRetryDelay: timing.pauseAfterError,
  removeOnComplete: { count: 0 },
  removeOnFail: { count: 0 },
} as const;
