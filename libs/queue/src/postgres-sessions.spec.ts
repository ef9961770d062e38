import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createLogger } from '@waybill/observability';
import { createTestDatabase, type FrailPostgres, sessionEnds, startFrailPostgres, type TestDatabase, until } from '@waybill/testing';
import { createPostgresBackend } from 'bullmq';
import { z } from 'zod';
import { workerOptions } from './bull-options.js';
import { BullWorker } from './bull-worker.js';
import { ConnectionLog } from './connection-log.js';
import { defineJob } from './define-job.js';
import type { JobQueue } from './job-queue.js';
import { openQueue } from './open-queue.js';
import { PatientPool } from './patient-pool.js';
import { QueueError } from './queue-error.js';

const queueName = 'probe.eu';
const job = defineJob({ name: 'probe', payload: z.strictObject({ id: z.string() }), queueFor: () => queueName, idFor: ({ id }) => id });

describe('the queue on PostgreSQL, whose sessions end', () => {
  let database: TestDatabase;
  let frail: FrailPostgres;
  let queue: JobQueue;
  let log: string;
  let ran: string[];
  const printed = jest.spyOn(console, 'error');
  const logger = createLogger({ name: 'spec', level: 'info', destination: { write: (line) => void (log += line) } });

  beforeEach(async () => {
    log = '';
    ran = [];
    printed.mockClear();
    database = await createTestDatabase();
    frail = await startFrailPostgres({ url: database.queueUrl, adminUrl: database.adminUrl });
    queue = await openQueue({ kind: 'postgres', url: frail.url }, { logger });
  });

  afterEach(async () => {
    await queue.close();
    await frail.stop();
    await database.drop();
  });

  /** Adds a job as its relay does, again until the queue has taken it, and waits until it ran. */
  async function runs(id: string): Promise<void> {
    await until(`${id} is added`, () =>
      queue.add(job, [{ id }]).then(
        () => true,
        (error: unknown) => {
          if (error instanceof QueueError && error.retryable) return false;
          throw error;
        },
      ),
    );
    await until(`${id} ran`, () => ran.includes(id));
  }

  it('goes on when all of them end, idle, in a query or listening, and prints nothing', async () => {
    queue.consume(job, queueName, async ({ id }) => void ran.push(id), { concurrency: 2 });
    await runs('before');

    for (const round of [1, 2]) {
      await frail.endAll();
      await runs(`after-${round}`);
    }

    expect(printed).not.toHaveBeenCalled();
    expect(log).not.toContain('"level":"error"');
  });

  it.each(sessionEnds.filter((end) => end !== 'terminated'))('opens its worker when a session ends (%s) as it begins', async (end) => {
    const met = frail.endWhenSent('start', end);

    queue.consume(job, queueName, async ({ id }) => void ran.push(id), { concurrency: 2 });
    await met;
    await runs('one');

    expect(printed).not.toHaveBeenCalled();
  });

  it('lets BullMQ print no error of a worker that does not run yet', async () => {
    const pool = new PatientPool({ connectionString: frail.url, max: 2 }, new ConnectionLog(logger));
    const request = { queueName, concurrency: 1, process: () => Promise.resolve() };
    const worker = new BullWorker(request, { ...workerOptions, concurrency: 1, connection: pool }, createPostgresBackend);

    worker.emit('error', new Error('read ECONNRESET'));

    expect(printed).not.toHaveBeenCalled();
    await worker.abandon();
    await pool.end();
  });
});
