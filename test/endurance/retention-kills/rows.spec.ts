import { expect, it } from '@jest/globals';
import { Database } from '@waybill/persistence';
import { createMigratedDatabase } from '@waybill/testing';
import { compared, notCompared, rowsOf } from './rows.js';

it('compares every table, or says that it does not', async () => {
  const server = await createMigratedDatabase();
  const database = new Database(server.url);
  try {
    const tables = await database.tables.$queryRaw<{ name: string }[]>`
      SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_name <> '_prisma_migrations'`;

    expect([...Object.keys(compared), ...notCompared].sort()).toEqual(tables.map(({ name }) => name).sort());
    expect(await rowsOf(database)).toEqual(['provenance_chain: links 0']);
  } finally {
    await database.close();
    await server.drop();
  }
});
