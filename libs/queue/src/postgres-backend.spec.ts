import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createLogger } from '@waybill/observability';
import { createTestDatabase, type TestDatabase, until } from '@waybill/testing';
import pg from 'pg';
import { z } from 'zod';
import { defineJob } from './define-job.js';
import type { JobQueue } from './job-queue.js';
import { openQueue } from './open-queue.js';

const job = defineJob({
  name: 'probe',
  payload: z.strictObject({ id: z.string(), queue: z.string() }),
  queueFor: ({ queue }) => `probe.${queue}`,
  idFor: ({ id }) => id,
});

describe('PostgresBackend', () => {
  let database: TestDatabase;
  let admin: pg.Client;
  let log: string;
  let opened: JobQueue[];

  const open = async (url = database.queueUrl): Promise<JobQueue> => {
    const logger = createLogger({ name: 'spec', level: 'info', destination: { write: (line) => void (log += line) } });
    const queue = await openQueue({ kind: 'postgres', url }, { logger });
    opened.push(queue);
    return queue;
  };
  const count = async (statement: string): Promise<number> => {
    const { rows } = await admin.query<{ n: number }>(statement);
    return rows[0]?.n ?? Number.NaN;
  };

  beforeEach(async () => {
    log = '';
    opened = [];
    database = await createTestDatabase();
    admin = new pg.Client({ connectionString: database.adminUrl });
    await admin.connect();
  });

  afterEach(async () => {
    await Promise.all(opened.map((queue) => queue.close()));
    await admin.end();
    await database.drop();
  });

  it('makes its schema, also when many processes start at once', async () => {
    const queues = await Promise.all(Array.from({ length: 5 }, () => open()));

    await Promise.all(queues.map((queue, index) => queue.add(job, [{ id: `id-${index}`, queue: 'eu' }])));

    expect(await count('SELECT count(*)::int AS n FROM bullmq.job')).toBe(5);
    expect(await count('SELECT count(*)::int AS n FROM bullmq.migration GROUP BY version HAVING count(*) > 1')).toBeNaN();
  });

  it('forgets a job that ran, well or not', async () => {
    const queue = await open();
    queue.consume(job, 'probe.eu', ({ id }) => (id === 'bad' ? Promise.reject(new Error('broken')) : Promise.resolve()), {
      concurrency: 1,
    });

    await queue.add(job, [
      { id: 'good', queue: 'eu' },
      { id: 'bad', queue: 'eu' },
    ]);

    await until('the job is gone', async () => (await count('SELECT count(*)::int AS n FROM bullmq.job')) === 0);
  });

  it('keeps to its number of connections, however many queues there are', async () => {
    const queue = await open();
    for (const name of ['a', 'b']) queue.consume(job, `probe.${name}`, async () => undefined, { concurrency: 50 });

    const payloads = Array.from({ length: 40 }, (_, index) => ({ id: `id-${index}`, queue: `q${index}` }));
    await queue.add(job, [...payloads, ...payloads.map(({ id }) => ({ id, queue: 'a' }))]);
    await until('all ran', async () => (await count("SELECT count(*)::int AS n FROM bullmq.job WHERE queue = 'probe.a'")) === 0);

    const sessions = await count(
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND usename = '${new URL(database.queueUrl).username}'`,
    );
    expect(sessions).toBeGreaterThan(2);
    expect(sessions).toBeLessThanOrEqual(4 + 2 * 3);
  });

  it('refuses a role that may not use the schema, and leaves no session', async () => {
    await expect(open(database.url)).rejects.toMatchObject({ code: 'queue-refused', retryable: false });

    const role = new URL(database.url).username;
    await until(
      'its sessions have ended',
      async () =>
        (await count(`SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND usename = '${role}'`)) === 0,
    );
  });

  it('waits for a role whose password is wrong for now, without telling it', async () => {
    const url = new URL(database.queueUrl);
    url.password = 'hunter2';

    const queue = await open(url.href);
    await expect(queue.add(job, [{ id: 'a', queue: 'eu' }])).rejects.toMatchObject({ code: 'queue-unavailable', retryable: true });

    expect(log).toContain('the queue cannot be reached yet');
    expect(log).not.toContain('hunter2');
  });

  it('bears a schema that is gone: says so, waits without a flood, and goes on', async () => {
    const queue = await open();
    const ran: string[] = [];
    queue.consume(job, 'probe.eu', async ({ id }) => void ran.push(id), { concurrency: 4 });
    await queue.add(job, [{ id: 'before', queue: 'eu' }]);
    await until('it ran', () => ran.includes('before'));

    await admin.query('ALTER SCHEMA bullmq RENAME TO hidden');
    await expect(queue.add(job, [{ id: 'during', queue: 'eu' }])).rejects.toMatchObject({ code: 'queue-refused', retryable: false });
    await until('the worker has met it', () => log.includes('the queue answered with an error'));
    await admin.query('ALTER SCHEMA hidden RENAME TO bullmq');
    await queue.add(job, [{ id: 'after', queue: 'eu' }]);

    await until('the next one ran', () => ran.includes('after'));
    expect(log.trim().split('\n').length).toBeLessThan(8);
  });
});
