import type { Job } from './define-job.js';

/**
 * Runs one job. It is called at least once per id, and after a lost lock perhaps twice at once:
 * what counts is what it claims in the database, not that it was called.
 *
 * What it throws is logged and the job is gone; trying again is the database's business.
 * Only when the signal was aborted does throwing hand the job to another consumer.
 */
export type JobHandler<Payload> = (payload: Payload, context: JobContext) => Promise<void>;

export interface JobContext {
  /** Aborted when the consumer closes and its time to drain is over. */
  readonly signal: AbortSignal;
}

export interface ConsumeOptions {
  /** How many jobs run at once. */
  readonly concurrency: number;
  /** Closes the consumer without time to drain. */
  readonly signal?: AbortSignal;
}

export interface CloseOptions {
  /** How long running handlers may finish before their signal is aborted, in milliseconds. */
  readonly drainMs: number;
}

/** Takes jobs of one queue until it is closed, across every failure of the backend. */
export interface Consumer {
  readonly job: string;
  readonly queueName: string;
  /** Takes no more jobs, lets handlers finish, aborts the rest and hands their jobs back. Takes bounded time and never throws. */
  close(options: CloseOptions): Promise<void>;
}

/** Whether the backend answers. */
export type QueueHealth =
  | { readonly status: 'up'; readonly kind: 'redis' | 'postgres'; readonly latencyMs: number }
  | { readonly status: 'down'; readonly kind: 'redis' | 'postgres'; readonly reason: string };

/**
 * Carries jobs to workers, at least once and in no promised order. It decides nothing:
 * a job that fails, stalls or vanishes here changes no promotion.
 */
export interface JobQueue {
  /**
   * Adds jobs. An id that is waiting or running is silently ignored; a finished one is gone and runs again.
   * Ends within the queue's deadline per 50 jobs. After an error, some may have been added; adding all again is harmless.
   *
   * @throws QueueError `queue-unavailable`, `payload-invalid` and `job-invalid` (before anything is added), `queue-closed`
   */
  add<Payload>(job: Job<Payload>, payloads: readonly Payload[]): Promise<void>;

  /**
   * Starts to run jobs of one queue. The backend need not be up; the consumer waits for it.
   *
   * @throws QueueError `handler-exists`, `job-invalid`, `queue-closed`
   */
  consume<Payload>(job: Job<Payload>, queueName: string, handler: JobHandler<Payload>, options: ConsumeOptions): Consumer;

  /** The consumers that run now. */
  consumers(): readonly Pick<Consumer, 'job' | 'queueName'>[];

  /** Asks the backend, in bounded time; never throws. */
  health(): Promise<QueueHealth>;

  /** Closes every consumer without time to drain, then the connections. Takes bounded time and never throws. */
  close(): Promise<void>;
}
