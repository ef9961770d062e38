import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type FrailPostgres, sessionEnds, startFrailPostgres, type TestDatabase, until } from '@waybill/testing';
import type pg from 'pg';
import { watchedPool } from './watched-pool.js';

describe('watchedPool', () => {
  let server: TestDatabase;
  let frail: FrailPostgres;
  let pool: pg.Pool;
  let told: string[];

  beforeAll(async () => {
    server = await createTestDatabase();
    frail = await startFrailPostgres(server);
  });

  beforeEach(() => {
    told = [];
    pool = watchedPool(
      { connectionString: frail.url, max: 3 },
      { onLost: ({ message }) => void told.push(`lost: ${message}`), onBack: () => void told.push('back') },
    );
  });

  afterEach(() => pool.end());

  afterAll(async () => {
    await frail.stop();
    await server.drop();
  });

  const ended = 'lost: terminating connection due to administrator command';

  it('survives a server that greets a session and ends it in one breath, before anybody else can listen', async () => {
    const met = frail.endWhenSent('start', 'answered');

    const client = await pool.connect();
    await met;
    client.release();
    await pool.query('SELECT 1');

    expect(told).toEqual([ended, 'back']);
  });

  it.each(sessionEnds)('survives that a session ends (%s) while it is taken out and nobody listens', async (end) => {
    const client = await pool.connect();
    const met = frail.endWhenSent({ containing: 'SELECT 7' }, end);
    const answer = client.query('SELECT 7').catch((error: unknown) => error);

    await Promise.all([met, answer]);
    await until('the loss is told', () => told.length > 0);
    client.release();
    await pool.query('SELECT 1');

    expect(told).toEqual([expect.stringMatching(/^lost: /), 'back']);
  });

  it('tells once of all that end together, idle or not, and when one was made again', async () => {
    const [idle, ...taken] = await Promise.all([pool.connect(), pool.connect(), pool.connect()]);
    idle.release();
    // Each has said by then why it ends.
    const ends = [idle, ...taken].map((client) => new Promise<void>((resolve) => void client.once('end', resolve)));

    await frail.endAll();
    await Promise.all(ends);
    for (const client of taken) client.release(true);
    await pool.query('SELECT 1');

    expect(told).toEqual([ended, 'back']);
  });
});
