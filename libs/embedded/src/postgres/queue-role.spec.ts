import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
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
  // What the migrations and commands of BullMQ 6.7 ask of it; libs/queue runs the real ones under this role.
  it.each([
    ['open its migrations', 'BEGIN; CREATE SCHEMA IF NOT EXISTS bullmq; SET LOCAL search_path TO bullmq; COMMIT'],
    ['make its tables and functions', `CREATE TABLE job (id text); CREATE FUNCTION next() RETURNS int LANGUAGE sql AS 'SELECT 1'`],
    ['call its waiting workers', `LISTEN jobs; NOTIFY jobs, 'one'`],
    ['lock out a second migration', 'SELECT pg_advisory_xact_lock(1, 2)'],
  ])('can %s', async (_what, statements) => {
    await expect(connected(server.queueUrl, (client) => client.query(statements))).resolves.toBeDefined();
  });

  it('keeps everything that it makes in its own schema', async () => {
    await connected(server.queueUrl, (client) => client.query('CREATE TABLE somewhere ()'));

    const { rows } = await connected(server.queueUrl, (client) =>
      client.query(`SELECT schemaname FROM pg_tables WHERE tablename = 'somewhere'`),
    );

    expect(rows).toEqual([{ schemaname: 'bullmq' }]);
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
