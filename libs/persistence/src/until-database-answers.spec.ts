import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type FrailPostgres, startFrailPostgres, type TestDatabase } from '@waybill/testing';
import { applyMigrations } from './migrations/apply-migrations.js';
import { untilDatabaseAnswers } from './until-database-answers.js';

describe('untilDatabaseAnswers', () => {
  let server: TestDatabase;
  let frail: FrailPostgres;
  const away: unknown[] = [];

  beforeAll(async () => {
    server = await createTestDatabase();
    frail = await startFrailPostgres(server);
  });

  afterEach(() => {
    frail.admit();
    away.length = 0;
  });

  afterAll(async () => {
    await frail.stop();
    await server.drop();
  });

  /** Migrates; what was in the way passes after the first try. */
  const migrate = (url = frail.url) =>
    untilDatabaseAnswers(() => applyMigrations(url), {
      onAway: (error) => {
        away.push(error);
        frail.admit();
      },
    });

  const unavailable = expect.objectContaining({ code: 'database-unavailable', retryable: true });

  it.each(['57P03', '57P01', '53300', '08006'])('waits for a server that says %s, and tells it once', async (sqlState) => {
    frail.refuse(sqlState);

    await migrate();

    expect(away).toEqual([unavailable]);
  });

  it.each(['terminated', 'reset', 'closed', 'unheard'] as const)('begins anew when the session ends (%s) in the middle', async (end) => {
    const met = frail.endWhenSent({ containing: '_prisma_migrations' }, end);

    await migrate();
    await met;

    expect(away).toEqual([unavailable]);
  });

  it.each([
    ['a wrong password', '28P01'],
    ['a database that is not there', '3D000'],
  ])('does not wait where a person has set something wrong: %s', async (_what, sqlState) => {
    frail.refuse(sqlState);

    await expect(migrate()).rejects.toMatchObject({ code: sqlState });

    expect(away).toEqual([]);
  });

  it('gives up when its patience has ended, with the reason', async () => {
    const nobody = 'postgres://nobody@127.0.0.1:1/none';

    const work = untilDatabaseAnswers(() => applyMigrations(nobody), { patienceMs: 0, onAway: (error) => void away.push(error) });

    await expect(work).rejects.toMatchObject({ code: 'database-unavailable', message: 'the database does not answer (ECONNREFUSED)' });
    expect(away).toEqual([]);
  });
});
