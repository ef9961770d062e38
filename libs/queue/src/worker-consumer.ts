import type { Logger } from '@waybill/observability';
import type { Backend, OpenWorker, TakenJob } from './backend.js';
import { settlesWithin } from './deadline.js';
import type { Job } from './define-job.js';
import type { CloseOptions, Consumer, ConsumeOptions, JobHandler } from './job-queue.js';
import { timing } from './timing.js';

export interface ConsumerRequest<Payload> {
  readonly job: Job<Payload>;
  readonly queueName: string;
  readonly handler: JobHandler<Payload>;
  readonly options: ConsumeOptions;
  readonly logger: Logger;
  onClosed(): void;
}

/** Runs the jobs of one queue through one handler. */
export class WorkerConsumer<Payload> implements Consumer {
  readonly job: string;
  readonly queueName: string;
  readonly #request: ConsumerRequest<Payload>;
  readonly #opening: Promise<OpenWorker | undefined>;
  /** Aborted when no further job is to be run. */
  readonly #stopping = new AbortController();
  /** Aborted when running handlers have to end. */
  readonly #ending = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  constructor(backend: Backend, request: ConsumerRequest<Payload>) {
    this.job = request.job.name;
    this.queueName = request.queueName;
    this.#request = request;
    const { concurrency, signal } = request.options;
    const worker = { queueName: request.queueName, concurrency, process: (job: TakenJob) => this.#process(job) };
    this.#opening = backend.openWorker(worker, this.#stopping.signal).catch((error: unknown) => this.#notOpened(error));
    if (signal?.aborted === true) void this.close({ drainMs: 0 });
    signal?.addEventListener('abort', () => void this.close({ drainMs: 0 }), { once: true });
  }

  close({ drainMs }: CloseOptions): Promise<void> {
    this.#closed ??= this.#close(drainMs);
    return this.#closed;
  }

  async #close(drainMs: number): Promise<void> {
    this.#stopping.abort();
    const worker = await this.#opening;
    worker?.stopTaking();
    const ended = await this.#endHandlers(drainMs);
    await worker?.close(ended ? timing.deadline : 0);
    this.#request.onClosed();
  }

  /** Whether all ended; those that ignore their signal are not waited for. */
  async #endHandlers(drainMs: number): Promise<boolean> {
    const drained = await this.#idleWithin(drainMs);
    this.#ending.abort();
    if (drained || (await this.#idleWithin(timing.handlerEnd))) return true;
    this.#request.logger.warn({ running: this.#running.size }, 'handlers ignored their signal, their jobs are left to be taken over');
    return false;
  }

  async #process(job: TakenJob): Promise<void> {
    if (this.#stopping.signal.aborted) return job.giveBack();
    const run = this.#run(job);
    this.#running.add(run);
    const outcome = await run;
    this.#running.delete(run);
    if (outcome === 'give-back') await job.giveBack();
  }

  /** Never rejects. */
  async #run(job: TakenJob): Promise<'over' | 'give-back'> {
    const logger = this.#request.logger.child({ jobId: job.id });
    try {
      const payload = this.#receive(job);
      await this.#request.handler(payload, { signal: this.#ending.signal });
      return 'over';
    } catch (error) {
      if (this.#ending.signal.aborted) return 'give-back';
      logger.error({ err: error }, 'a job ended with an error and is dropped, the database decides whether it runs again');
      return 'over';
    }
  }

  #receive({ name, data }: TakenJob): Payload {
    return this.#request.job.receive(name === this.job ? data : undefined);
  }

  async #idleWithin(ms: number): Promise<boolean> {
    return settlesWithin(Promise.all(this.#running), ms);
  }

  #notOpened(error: unknown): undefined {
    if (!this.#stopping.signal.aborted) this.#request.logger.error({ err: error }, 'a worker of the queue could not be opened');
  }
}
