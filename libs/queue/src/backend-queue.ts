import type { Logger } from '@waybill/observability';
import { asQueueError } from './backend-failure.js';
import type { Backend } from './backend.js';
import { withDeadline } from './deadline.js';
import type { Job, PreparedJob } from './define-job.js';
import type { Consumer, ConsumeOptions, JobHandler, JobQueue, QueueHealth } from './job-queue.js';
import { QueueError } from './queue-error.js';
import { timing } from './timing.js';
import { WorkerConsumer } from './worker-consumer.js';

/** How many jobs go to the backend under one deadline: few, so that a slow machine is not taken for a silent backend. */
const batchSize = 20;

/** A queue on either backend. */
export class BackendQueue implements JobQueue {
  readonly #backend: Backend;
  readonly #logger: Logger;
  readonly #consumers = new Map<string, Consumer>();
  #closed: Promise<void> | undefined;

  constructor(backend: Backend, logger: Logger) {
    this.#backend = backend;
    this.#logger = logger;
  }

  async add<Payload>(job: Job<Payload>, payloads: readonly Payload[]): Promise<void> {
    this.#assertOpen('add job');
    for (const [queueName, jobs] of byQueue(payloads.map((payload) => job.prepare(payload)))) {
      for (let start = 0; start < jobs.length; start += batchSize) {
        await this.#ask('add job', this.#backend.add(queueName, jobs.slice(start, start + batchSize)));
      }
    }
  }

  consume<Payload>(job: Job<Payload>, queueName: string, handler: JobHandler<Payload>, options: ConsumeOptions): Consumer {
    this.#assertOpen('consume');
    job.checkQueueName(queueName);
    if (this.#consumers.has(queueName)) {
      throw new QueueError(`${queueName} already has a handler in this process`, { code: 'handler-exists', operation: 'consume' });
    }
    const consumer = new WorkerConsumer(this.#backend, {
      job,
      queueName,
      handler,
      options,
      logger: this.#logger.child({ job: job.name, queueName }),
      onClosed: () => this.#consumers.delete(queueName),
    });
    this.#consumers.set(queueName, consumer);
    return consumer;
  }

  consumers(): readonly Pick<Consumer, 'job' | 'queueName'>[] {
    return [...this.#consumers.values()].map(({ job, queueName }) => ({ job, queueName }));
  }

  async health(): Promise<QueueHealth> {
    const { kind } = this.#backend;
    const begun = performance.now();
    try {
      this.#assertOpen('check health');
      await this.#ask('check health', this.#backend.ping());
      return { status: 'up', kind, latencyMs: Math.round(performance.now() - begun) };
    } catch (error) {
      return { status: 'down', kind, reason: asQueueError('check health', error).message };
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#consumers.values()].map((consumer) => consumer.close({ drainMs: 0 })));
    await this.#backend.close();
  }

  async #ask(operation: string, answer: Promise<void>): Promise<void> {
    try {
      await withDeadline(operation, timing.deadline, answer);
      this.#backend.connection.up();
    } catch (error) {
      const failure = asQueueError(operation, error);
      if (failure.retryable) this.#backend.connection.down(failure);
      throw failure;
    }
  }

  #assertOpen(operation: string): void {
    if (this.#closed !== undefined) throw new QueueError('the queue is closed', { code: 'queue-closed', operation });
  }
}

function byQueue(jobs: readonly PreparedJob[]): ReadonlyMap<string, readonly PreparedJob[]> {
  const groups = new Map<string, PreparedJob[]>();
  for (const job of jobs) {
    const group = groups.get(job.queueName);
    if (group === undefined) groups.set(job.queueName, [job]);
    else group.push(job);
  }
  return groups;
}
