import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ContentError } from '@waybill/oci-model';
import { createMigratedDatabase, startTestPostgres, type TestDatabase } from '@waybill/testing';
import pg from 'pg';
import { Database } from './database.js';
import { isDatabaseUnavailable } from './database-unavailable.js';

async function rejection(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => {
      throw new Error('it should have failed');
    },
    (error: unknown) => error,
  );
}

async function asAdmin(url: string, ...statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

const endOthers = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`;

describe('isDatabaseUnavailable', () => {
  let server: TestDatabase;
  let database: Database;

  beforeAll(async () => {
    server = await createMigratedDatabase();
    database = new Database(server.url, { maxConnections: 2, connectTimeoutMs: 500 });
    await database.ping();
  });

  afterAll(async () => {
    await database.close();
    await server.drop();
  });

  const absences: [string, () => Promise<unknown>][] = [
    ['no free connection for a statement', () => database.transaction(() => database.transaction(() => database.ping()))],
    [
      'no free connection for a transaction',
      () => database.transaction(() => database.transaction(() => database.transaction(() => Promise.resolve()))),
    ],
    ['a session ended within a statement', () => database.tables.$queryRaw`SELECT pg_terminate_backend(pg_backend_pid())`],
    [
      'a session ended within a transaction',
      () =>
        database.transaction(async (tables) => {
          await tables.$queryRaw`SELECT 1`;
          await asAdmin(server.adminUrl, endOthers);
          await tables.$queryRaw`SELECT 1`;
        }),
    ],
    ['a statement that stays unanswered', () => unanswered((hanging) => hanging.tables.$queryRaw`SELECT pg_sleep(60)::text`)],
    [
      'a statement of a transaction that stays unanswered',
      () => unanswered((hanging) => hanging.transaction((tables) => tables.$queryRaw`SELECT pg_sleep(60)::text`)),
    ],
    ['a wrong password', () => withUrl((url) => (url.password = 'wrong'))],
    ['a database that is not there', () => withUrl((url) => (url.pathname = '/nowhere'))],
    ['a host that is not there', () => withUrl((url) => (url.hostname = 'nowhere.invalid'))],
  ];

  /** To the client it is the same whether the server is frozen or busy. */
  async function unanswered(work: (hanging: Database) => Promise<unknown>): Promise<void> {
    const hanging = new Database(server.url, { statementTimeoutMs: 200 });
    try {
      await work(hanging);
    } finally {
      await asAdmin(server.adminUrl, endOthers);
      await hanging.close();
    }
  }

  async function withUrl(change: (url: URL) => void): Promise<void> {
    const url = new URL(server.url);
    change(url);
    const other = new Database(url.href);
    try {
      await other.ping();
    } finally {
      await other.close();
    }
  }

  it.each(absences)('is so for %s', async (_name, work) => {
    const error = await rejection(work());

    expect(isDatabaseUnavailable(error)).toBe(true);
  });

  const mistakes: [string, () => Promise<unknown>][] = [
    [
      'a broken constraint of a raw statement',
      () => database.tables.$executeRaw`INSERT INTO schedule (name, every) VALUES ('purge-idempotency-keys', interval '1 second')`,
    ],
    ['a broken constraint of a call', () => database.tables.schedule.update({ where: { name: 'none' }, data: { name: 'other' } })],
    ['a value of the wrong type', () => database.tables.principal.findMany({ where: { id: 'no uuid' } })],
    ['a statement that cannot be read', () => database.tables.$queryRaw`SELECT FROM WHERE`],
    ['a table that is not there', () => database.tables.$queryRaw`SELECT 1 FROM nothing`],
    ['a row that may not be changed', () => database.tables.$executeRaw`TRUNCATE provenance_chain`],
    ['an argument that Prisma refuses', () => database.tables.principal.findMany({ where: { none: 1 } } as object)],
    ['an error of the work in a transaction', () => database.transaction(() => Promise.reject(new Error('Connection terminated')))],
    [
      'a registry that refuses the connection',
      () => {
        const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', errno: -111, syscall: 'connect' });
        return Promise.reject(new ContentError('the registry does not answer', { code: 'unreachable', operation: 'test', cause }));
      },
    ],
  ];

  it.each(mistakes)('is not so for %s', async (_name, work) => {
    const error = await rejection(work());

    expect(isDatabaseUnavailable(error)).toBe(false);
  });

  it('is not so for what is no error', () => {
    expect(isDatabaseUnavailable('timeout exceeded when trying to connect')).toBe(false);
  });

  it('is so for a role that is locked out, and a server that stops and is stopped', async () => {
    const own = await startTestPostgres();
    const other = new Database(own.url);
    const role = new URL(own.url).username;
    await asAdmin(own.adminUrl, `ALTER ROLE ${role} NOLOGIN`);
    const lockedOut = await rejection(other.ping());
    await asAdmin(own.adminUrl, `ALTER ROLE ${role} LOGIN`);
    await other.ping();
    const waiting = rejection(Promise.resolve(other.tables.$queryRaw`SELECT pg_sleep(600)::text`));
    await own.stop();
    const errors = [
      lockedOut,
      await waiting,
      await rejection(other.ping()),
      await rejection(other.transaction((tables) => tables.schedule.findMany())),
    ];
    await other.close();

    expect(errors.map(isDatabaseUnavailable)).toEqual([true, true, true, true]);
  });
});
