import type { z } from 'zod';
import { QueueError } from './queue-error.js';

/** What is known of a job at compile time: its name, its payload, and where and under which id it is queued. */
export interface JobDefinition<Payload> {
  readonly name: string;
  readonly payload: z.ZodType<Payload>;
  /** The queue of a payload: the job's name, or the name, a dot and one more part. */
  queueFor(payload: Payload): string;
  /**
   * The id of a payload. Everything that is to run again needs an id of its own (a dispatch number in it),
   * because an id that exists in any state is silently ignored.
   */
  idFor(payload: Payload): string;
}

/** A job of which every payload is checked at both borders. */
export interface Job<Payload> extends JobDefinition<Payload> {
  /** A payload ready to be added. @throws QueueError `payload-invalid`, `job-invalid` */
  prepare(payload: Payload): PreparedJob;
  /** What arrived at a worker. @throws QueueError `payload-invalid` */
  receive(data: unknown): Payload;
  /** @throws QueueError `job-invalid` when this job cannot run on such a queue */
  checkQueueName(queueName: string): void;
}

/** One entry of a queue. */
export interface PreparedJob {
  readonly name: string;
  readonly queueName: string;
  readonly id: string;
  readonly data: unknown;
}

const namePattern = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
/** BullMQ refuses `:` in both; PostgreSQL carries a queue's name in a notification and in identifiers of 63 bytes (hashed). */
const partPattern = /^[a-z0-9]+(?:[-_.][a-z0-9]+)*$/;
/** BullMQ refuses `:` and takes an integer for one of its own ids. */
const idPattern = /^(?!\d+$)[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/;
const longestQueueName = 128;

/**
 * Defines a job once, for those who add it and those who run it.
 *
 * @throws QueueError `job-invalid` for a malformed name
 */
export function defineJob<Payload>(definition: JobDefinition<Payload>): Job<Payload> {
  const { name, payload: schema } = definition;
  if (!namePattern.test(name)) throw jobInvalid('define job', `the job name ${JSON.stringify(name)} is not lower-case words with hyphens`);

  const checkQueueName = (queueName: string): void => {
    const part = queueName === name ? undefined : queueName.slice(name.length + 1);
    const belongs = queueName.startsWith(name) && (part === undefined || (queueName[name.length] === '.' && partPattern.test(part)));
    if (belongs && queueName.length <= longestQueueName) return;
    throw jobInvalid('choose queue', `the job ${name} cannot use the queue ${JSON.stringify(queueName)}`);
  };

  const parse = (operation: string, data: unknown): Payload => {
    const outcome = schema.safeParse(data);
    if (outcome.success) return outcome.data;
    const paths = outcome.error.issues.map(({ path, message }) => `${path.join('.') || 'payload'}: ${message}`);
    throw new QueueError(`a payload of the job ${name} does not match its schema: ${paths.join('; ')}`, {
      code: 'payload-invalid',
      operation,
      details: { job: name, problems: paths },
    });
  };

  return {
    ...definition,
    checkQueueName,
    receive: (data) => parse('receive job', data),
    prepare(payload) {
      const data = parse('add job', payload);
      const queueName = definition.queueFor(data);
      checkQueueName(queueName);
      const id = definition.idFor(data);
      if (!idPattern.test(id)) throw jobInvalid('add job', `the job ${name} cannot have the id ${JSON.stringify(id)}`);
      return { name, queueName, id, data };
    },
  };
}

function jobInvalid(operation: string, message: string): QueueError {
  return new QueueError(message, { code: 'job-invalid', operation });
}
