import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createPostgresBackend, Queue, QueueEvents, runMigrations, Worker } from 'bullmq';
import pg from 'pg';
import type { EmbeddedPostgres } from './embedded-postgres.js';
import { startEmbeddedPostgres } from './start-embedded-postgres.js';

let folder: string;
let server: EmbeddedPostgres;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'waybill-queue-role-'));
  server = await startEmbeddedPostgres({ dataDir: folder, durable: false });
});

afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

async function connected<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

describe("the queue's role", () => {
  it("can migrate BullMQ's schema and pass a job through it", async () => {
    await connected(server.queueUrl, (client) => runMigrations(client));
    const connection = { connection: server.queueUrl };
    const queue = new Queue('probe', connection, createPostgresBackend);
    const events = new QueueEvents('probe', connection, createPostgresBackend);
    const worker = new Worker('probe', async (job) => job.data.value * 2, connection, createPostgresBackend);
    try {
      await events.waitUntilReady();
      const job = await queue.add('double', { value: 21 });

      expect(await job.waitUntilFinished(events, 20_000)).toBe(42);
    } finally {
      await worker.close();
      await events.close();
      await queue.close();
    }
  });

  it.each([
    ['read a table of the application', 'SELECT * FROM public.secrets'],
    ['make a table in the schema of the application', 'CREATE TABLE public.intruder ()'],
    ['make a role', 'CREATE ROLE intruder'],
    ['become the owner', 'SET ROLE waybill'],
    ['read a file of the server', `SELECT pg_read_file('PG_VERSION')`],
  ])('cannot %s', async (_what, statement) => {
    await connected(server.url, (client) => client.query('CREATE TABLE IF NOT EXISTS public.secrets (word text)'));

    await expect(connected(server.queueUrl, (client) => client.query(statement))).rejects.toMatchObject({ code: '42501' });
  });

  it('is the only one beside the superuser that may touch its schema', async () => {
    await expect(connected(server.url, (client) => client.query('CREATE TABLE bullmq.intruder ()'))).rejects.toMatchObject({
      code: '42501',
    });
  });
});
