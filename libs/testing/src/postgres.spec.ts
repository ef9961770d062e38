import { afterEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { createTestDatabase, type DatabaseTemplate, startTestPostgres, type TestDatabase } from './postgres.js';

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

describe('createTestDatabase', () => {
  const made: TestDatabase[] = [];
  afterEach(async () => {
    for (const database of made.splice(0)) await database.drop();
  });

  async function create(template?: DatabaseTemplate): Promise<TestDatabase> {
    const database = await createTestDatabase(template ? { template } : {});
    made.push(database);
    return database;
  }

  it('gives databases that know nothing of each other', async () => {
    const [one, other] = await Promise.all([create(), create()]);

    await query(one.url, 'CREATE TABLE only_here ()');

    expect(one.name).not.toBe(other.name);
    await expect(query(other.url, 'SELECT * FROM only_here')).rejects.toMatchObject({ code: '42P01' });
  });

  it('lets the queue into its own schema and into nothing else', async () => {
    const { url, queueUrl } = await create();
    await query(url, 'CREATE TABLE of_the_application ()');

    await query(queueUrl, 'CREATE TABLE of_the_queue ()');

    expect(await query(queueUrl, `SELECT schemaname FROM pg_tables WHERE tablename = 'of_the_queue'`)).toEqual([{ schemaname: 'bullmq' }]);
    await expect(query(queueUrl, 'SELECT * FROM public.of_the_application')).rejects.toMatchObject({ code: '42501' });
  });

  it('prepares a template once, whoever asks, and copies it', async () => {
    let prepared = 0;
    const template: DatabaseTemplate = {
      name: 'template_of_the_testing_spec',
      prepare: async ({ url }) => {
        prepared += 1;
        await query(url, 'CREATE TABLE from_template AS SELECT 7 AS value');
      },
    };

    const copies = await Promise.all([create(template), create(template), create(template)]);

    expect(prepared).toBe(1);
    for (const { url } of copies) expect(await query(url, 'SELECT value FROM from_template')).toEqual([{ value: 7 }]);
  });

  it('prepares a template again after a preparation that failed', async () => {
    const name = 'failing_template_of_the_testing_spec';
    await expect(createTestDatabase({ template: { name, prepare: () => Promise.reject(new Error('half-way')) } })).rejects.toThrow(
      'half-way',
    );

    const { url } = await create({ name, prepare: ({ url }) => query(url, 'CREATE TABLE second_try ()').then(() => undefined) });

    expect(await query(url, 'SELECT * FROM second_try')).toEqual([]);
  });

  it('drops a database that is still connected to', async () => {
    const database = await createTestDatabase();
    const client = new pg.Client({ connectionString: database.url });
    client.on('error', () => undefined);
    const ended = new Promise<void>((resolve) => client.once('end', resolve));
    await client.connect();

    await database.drop();

    await ended;
    await expect(query(database.url, 'SELECT 1')).rejects.toMatchObject({ code: '3D000' });
  });
});

describe('startTestPostgres', () => {
  it('gives a server of its own and leaves nothing of it', async () => {
    const server = await startTestPostgres();
    expect(await query(server.url, 'SELECT 1 AS alive')).toEqual([{ alive: 1 }]);

    await server.stop();

    expect(() => process.kill(server.pid, 0)).toThrow('ESRCH');
  });
});
