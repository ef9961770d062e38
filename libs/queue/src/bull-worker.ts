import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@waybill/observability';
import { type BackendFactory, type IQueueBackend, type Job, type JobProgress, WaitingError, Worker, type WorkerOptions } from 'bullmq';
import { isConnectionLoss } from './backend-failure.js';
import type { OpenWorker, TakenJob, WorkerRequest } from './backend.js';
import { settlesWithin } from './deadline.js';
import { RepeatedErrors } from './repeated-errors.js';
import { timing } from './timing.js';

/** A BullMQ worker that can be left to itself when its backend does not answer. */
export class BullWorker<B extends IQueueBackend, C> extends Worker<unknown, void, string, B, JobProgress, C> {
  constructor(request: WorkerRequest, options: WorkerOptions<C>, backend: BackendFactory<B, C>) {
    super(request.queueName, (job, token) => request.process(taken(job, token)), options, backend);
    // Until it runs, whoever waits for it to be ready is told as well; without any listener BullMQ (6.7) would print the error.
    this.on('error', () => undefined);
  }

  /** Stops every timer and connection without asking the backend. */
  async abandon(): Promise<void> {
    await this.lockManager.close();
    await this.backend.close(true);
  }
}

/** Runs a worker that is ready. */
export function runWorker<B extends IQueueBackend, C>(worker: BullWorker<B, C>, logger: Logger): OpenWorker {
  const stopping = new AbortController();
  listen(worker, logger, stopping.signal);
  worker.run().catch((error: unknown) => logger.error({ err: error }, 'a worker of the queue has ended'));
  void takeOverStalled(worker, logger, stopping.signal);
  return {
    stopTaking() {
      stopping.abort();
      void worker.pause(true);
    },
    async close(deadlineMs) {
      stopping.abort();
      if (await settlesWithin(worker.close(), deadlineMs)) return;
      await settlesWithin(worker.abandon(), timing.deadline);
    },
  };
}

/** Does what BullMQ's own check does, but without its pause of five seconds after an error, which no closing ends. */
async function takeOverStalled<B extends IQueueBackend, C>(worker: BullWorker<B, C>, logger: Logger, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const jobIds = await worker.getBackend().moveStalledJobsToWait();
      if (jobIds.length > 0) logger.info({ jobIds }, 'jobs of a silent worker are taken over');
    } catch (error) {
      worker.emit('error', error as Error);
    }
    await delay(timing.stalledCheck, undefined, { signal }).catch(() => undefined);
  }
}

function taken(job: Job<unknown, void>, token: string | undefined): TakenJob {
  return {
    id: job.id ?? '',
    name: job.name,
    data: job.data,
    async giveBack() {
      await job.moveToWait(token);
      throw new WaitingError();
    },
  };
}

function listen<B extends IQueueBackend, C>(worker: BullWorker<B, C>, logger: Logger, stopping: AbortSignal): void {
  const lost = new Set<string>();
  worker.on('lockRenewalFailed', (ids) => {
    const news = ids.filter((id) => !lost.has(id));
    for (const id of news) lost.add(id);
    if (news.length > 0) logger.warn({ jobIds: news }, 'the queue lost the lock of running jobs, they may run twice');
  });
  worker.on('active', ({ id }) => lost.delete(id ?? ''));
  worker.on('completed', ({ id }) => lost.delete(id ?? ''));

  const repeated = new RepeatedErrors();
  worker.on('error', (error) => {
    // The connection's own log tells of losses, and `lockRenewalFailed` of locks.
    if (stopping.aborted || isLostLock(error)) return;
    breathe(worker, stopping);
    if (isConnectionLoss(error) || !repeated.isNews(error)) return;
    logger.error({ err: error }, 'the queue answered with an error');
  });
}

/** BullMQ asks again at once after an error that is an answer, such as "out of memory"; a pause keeps that from becoming a flood. */
function breathe<B extends IQueueBackend, C>(worker: BullWorker<B, C>, stopping: AbortSignal): void {
  if (stopping.aborted || worker.isPaused()) return;
  void worker.pause(true);
  setTimeout(() => {
    if (!stopping.aborted) void worker.resume();
  }, timing.pauseAfterError).unref();
}

/** The job was taken over or the queue was emptied; both are within the promise of "at least once". */
function isLostLock(error: Error): boolean {
  return /^(?:could not renew lock for job|Missing (?:key|lock) for job|Lock mismatch for job|Job .* is not in the active state)/.test(
    error.message,
  );
}
