import type { QueueConfig } from '@waybill/config';
import type { ConnectionLog } from './connection-log.js';
import type { PreparedJob } from './define-job.js';

/** A job that a worker has taken. */
export interface TakenJob {
  readonly id: string;
  readonly name: string;
  readonly data: unknown;
  /** Puts the job back for another worker; always throws, to end the run. */
  giveBack(): Promise<never>;
}

/** Takes jobs until it is told to stop. */
export interface OpenWorker {
  /** Takes no further job; one that was being fetched may still arrive. */
  stopTaking(): void;
  /** Settles what has ended and lets go of the connections; bounded by the deadline, in milliseconds. */
  close(deadlineMs: number): Promise<void>;
}

export interface WorkerRequest {
  readonly queueName: string;
  readonly concurrency: number;
  /** Ends when the job is done with, well or not; rejects only through `giveBack`. */
  process(job: TakenJob): Promise<void>;
}

/** What Redis and PostgreSQL do for a queue. Failures are thrown as they are; the queue gives them their meaning. */
export interface Backend {
  readonly kind: QueueConfig['kind'];
  /** Tells of the connection over which jobs are added. */
  readonly connection: ConnectionLog;
  /** Adds jobs of one queue; those whose id exists are left alone. */
  add(queueName: string, jobs: readonly PreparedJob[]): Promise<void>;
  /** A worker that is running; waits for the backend until the signal is aborted. */
  openWorker(request: WorkerRequest, signal: AbortSignal): Promise<OpenWorker>;
  ping(): Promise<void>;
  /** Lets go of the connections that are left, in bounded time. */
  close(): Promise<void>;
}
