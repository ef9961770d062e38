import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createMigratedDatabase, type TestDatabase } from '@waybill/testing';
import pg from 'pg';
import { Database } from './database.js';

describe('a database whose statements may stay unanswered only so long', () => {
  let server: TestDatabase;
  let impatient: Database;

  beforeEach(async () => {
    server = await createMigratedDatabase();
    impatient = new Database(server.url, { statementTimeoutMs: 200, maxConnections: 1 });
  });
  afterEach(async () => {
    await impatient.close();
    await server.drop();
  });

  async function schedules(): Promise<string[]> {
    const other = new Database(server.url);
    try {
      const rows = await other.tables.schedule.findMany({ where: { name: { startsWith: 'spec-' } }, orderBy: { name: 'asc' } });
      return rows.map(({ name }) => name);
    } finally {
      await other.close();
    }
  }

  const insert = (database: Pick<Database['tables'], '$executeRaw'>, name: string) =>
    database.$executeRaw`INSERT INTO schedule (name, every) VALUES (${name}, interval '1 hour')`;

  it('keeps nothing of the transaction that was given up, and all of what comes after it', async () => {
    const holder = new pg.Client({ connectionString: server.url });
    await holder.connect();
    await holder.query('SELECT pg_advisory_lock(1)');
    const givenUp = impatient.transaction(async (tables) => {
      await insert(tables, 'spec-given-up');
      await tables.$queryRaw`SELECT pg_advisory_xact_lock(1)::text`;
    });
    await expect(givenUp).rejects.toThrow();
    await holder.end();

    await insert(impatient.tables, 'spec-later');
    await impatient.transaction((tables) => insert(tables, 'spec-latest'));

    expect(await schedules()).toEqual(['spec-later', 'spec-latest'].sort());
  });
});
