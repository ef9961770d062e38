import { type ErrorFacts, WaybillError } from '@waybill/kernel';

/**
 * - `queue-unavailable`: the backend did not answer in time or refused; retryable. Whether a job was added is unknown,
 *   and adding it again is harmless.
 * - `queue-refused`: the backend answers and cannot be used as it is (rights, version); a person has to act.
 * - `payload-invalid`: a payload does not match its schema.
 * - `job-invalid`: a job's definition gives an id or a queue name that the backends do not take.
 * - `handler-exists`: a second handler for the same job and queue in one process.
 * - `handler-missing`: a job that this process should run has no handler.
 * - `queue-closed`: used after `close`.
 */
export type QueueErrorCode =
  'queue-unavailable' | 'queue-refused' | 'payload-invalid' | 'job-invalid' | 'handler-exists' | 'handler-missing' | 'queue-closed';

/** Only `queue-unavailable` is retryable. */
export class QueueError extends WaybillError<QueueErrorCode> {
  constructor(message: string, facts: Omit<ErrorFacts<QueueErrorCode>, 'retryable'>) {
    super(message, { ...facts, retryable: facts.code === 'queue-unavailable' });
  }
}
