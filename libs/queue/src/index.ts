export { defineJob, type Job, type JobDefinition, type PreparedJob } from './define-job.js';
export type { CloseOptions, Consumer, ConsumeOptions, JobContext, JobHandler, JobQueue, QueueHealth } from './job-queue.js';
export { openQueue, type OpenQueueOptions } from './open-queue.js';
export { QueueError, type QueueErrorCode } from './queue-error.js';
export { type ExpectedHandler, requireHandlers } from './require-handlers.js';
export { runPromotionJob, runPromotionQueue } from './run-promotion-job.js';
