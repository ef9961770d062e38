import type { JobQueue } from './job-queue.js';
import { QueueError } from './queue-error.js';

/** A job that a process is there to run. */
export interface ExpectedHandler {
  readonly job: string;
  readonly queueName: string;
}

/**
 * To be called when a worker has started: a job without a handler would otherwise wait for ever and look like a slow one.
 * (That none has two is kept by `consume`.)
 *
 * @throws QueueError `handler-missing`, naming all of them
 */
export function requireHandlers(queue: Pick<JobQueue, 'consumers'>, expected: readonly ExpectedHandler[]): void {
  const present = new Set(queue.consumers().map(keyOf));
  const missing = expected.map(keyOf).filter((key) => !present.has(key));
  if (missing.length === 0) return;
  throw new QueueError(`no handler runs ${missing.join(', ')}`, {
    code: 'handler-missing',
    operation: 'check handlers',
    details: { missing },
  });
}

function keyOf({ job, queueName }: ExpectedHandler): string {
  return `${job} on ${queueName}`;
}
