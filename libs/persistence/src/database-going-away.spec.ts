import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  createMigratedDatabase,
  type FrailPostgres,
  type SentMessage,
  type SessionEnd,
  sessionEnds,
  startFrailPostgres,
  type TestDatabase,
  until,
} from '@waybill/testing';
import { isDatabaseUnavailable } from './database-unavailable.js';
import { Database } from './database.js';

interface Moment {
  readonly when: string;
  readonly message: SentMessage;
  /** Ends with the first error that is not swallowed. */
  work(database: Database): Promise<unknown>;
}

const atOnce = (work: (database: Database) => Promise<unknown>) => work;

/** With a session that is there already. */
const inSession = (work: (database: Database) => Promise<unknown>) => async (database: Database) => {
  await database.ping();
  return work(database);
};

/** Longer than a busy machine takes to connect: nothing here waits for it to pass. */
const connectTimeoutMs = 60_000;

const swallow = (work: Promise<unknown>) => work.catch(() => undefined);

const moments: readonly Moment[] = [
  { when: 'while it connects for a statement', message: 'start', work: atOnce((database) => database.ping()) },
  {
    when: 'while it connects for a transaction',
    message: 'start',
    work: atOnce((database) => database.transaction((tables) => tables.$queryRaw`SELECT 5`)),
  },
  {
    when: 'at a raw statement',
    message: { containing: 'SELECT 5' },
    work: inSession((database) => database.tables.$queryRaw`SELECT 5`),
  },
  { when: 'at a call', message: { containing: 'schedule' }, work: inSession((database) => database.tables.schedule.findMany()) },
  {
    when: 'at BEGIN',
    message: { containing: 'BEGIN' },
    work: inSession((database) => database.transaction((tables) => tables.$queryRaw`SELECT 5`)),
  },
  {
    when: 'as the isolation of a transaction is set',
    message: { containing: 'ISOLATION' },
    work: inSession((database) => database.snapshot((tables) => tables.$queryRaw`SELECT 5`)),
  },
  {
    when: 'at a raw statement of a transaction',
    message: { containing: 'SELECT 5' },
    work: inSession((database) => database.transaction((tables) => tables.$queryRaw`SELECT 5`)),
  },
  {
    when: 'at a call of a transaction',
    message: { containing: 'schedule' },
    work: inSession((database) => database.transaction((tables) => tables.schedule.findMany())),
  },
  {
    when: 'before another raw statement of a transaction',
    message: { containing: 'SELECT 5' },
    work: inSession((database) =>
      database.transaction(async (tables) => {
        await swallow(tables.$queryRaw`SELECT 5`);
        await tables.$queryRaw`SELECT 6`;
      }),
    ),
  },
  {
    when: 'before another call of a transaction',
    message: { containing: 'SELECT 5' },
    work: inSession((database) =>
      database.transaction(async (tables) => {
        await swallow(tables.$queryRaw`SELECT 5`);
        await tables.schedule.findMany();
      }),
    ),
  },
  {
    when: 'before COMMIT',
    message: { containing: 'SELECT 5' },
    work: inSession((database) => database.transaction((tables) => swallow(tables.$queryRaw`SELECT 5`))),
  },
  {
    when: 'at COMMIT',
    message: { containing: 'COMMIT' },
    work: inSession((database) => database.transaction((tables) => tables.$queryRaw`SELECT 5`)),
  },
];

describe('a database that goes away', () => {
  let server: TestDatabase;
  let frail: FrailPostgres;
  let database: Database;

  beforeAll(async () => {
    server = await createMigratedDatabase();
    frail = await startFrailPostgres(server);
  });

  afterAll(async () => {
    await frail.stop();
    await server.drop();
  });

  async function during<T>(work: () => Promise<T>): Promise<T> {
    database = new Database(frail.url, { connectTimeoutMs, maxConnections: 1 });
    try {
      return await work();
    } finally {
      await database.close();
    }
  }

  async function outcome(work: Promise<unknown>): Promise<'done' | 'unavailable' | 'mistake'> {
    return work.then(
      () => 'done',
      (error: unknown) => (isDatabaseUnavailable(error) ? 'unavailable' : 'mistake'),
    );
  }

  /** The only connection of the pool: it would be missed. */
  async function untilBack(): Promise<void> {
    await until('a transaction is possible again', () =>
      database
        .transaction((tables) => tables.$queryRaw`SELECT 1`)
        .then(
          () => true,
          () => false,
        ),
    );
  }

  const told = sessionEnds.flatMap((end) => moments.map((moment): [SessionEnd, string, Moment] => [end, moment.when, moment]));
  /** Of what only begins the server's own words are below, by their codes. */
  const cases = told.filter(([end, , { message }]) => end !== 'terminated' || message !== 'start');
  /** What was answered before the session ended may have been all that was wanted. */
  const mayBeDone: readonly SessionEnd[] = ['answered'];

  it.each(cases)('is told from a mistake: %s %s', async (end, _when, { message, work }) => {
    await during(async () => {
      const met = frail.endWhenSent(message, end);

      const how = await outcome(work(database));
      await met;

      expect(mayBeDone.includes(end) ? ['done', 'unavailable'] : ['unavailable']).toContain(how);
      await untilBack();
    });
  });

  it.each(sessionEnds)('leaves the error of the work as it is when the session ends (%s) at ROLLBACK', async (end) => {
    await during(async () => {
      await database.ping();
      const met = frail.endWhenSent({ containing: 'ROLLBACK' }, end);

      const broken = database.transaction(() => Promise.reject(new Error('Connection terminated, says the work')));

      await expect(broken).rejects.toThrow('Connection terminated, says the work');
      await met;
      expect(await outcome(broken)).toBe('mistake');
      await untilBack();
    });
  });

  const refusals = [
    ['that starts or shuts down', '57P03'],
    ['that shuts down at once', '57P01'],
    ['that recovers from a crash', '57P02'],
    ['without a free connection', '53300'],
    ['without memory', '53200'],
    ['that is broken off', '08006'],
    ['that locks the role out', '28000'],
    ['that knows another password', '28P01'],
    ['that does not have the database', '3D000'],
  ] as const;
  const wants: readonly [string, (tables: Database) => Promise<unknown>][] = [
    ['a statement', (from) => from.ping()],
    ['a call', (from) => from.tables.schedule.findMany()],
    ['a transaction', (from) => from.transaction((tables) => tables.$queryRaw`SELECT 1`)],
  ];

  it.each(refusals)('is told from a mistake: a server %s (%s)', async (_name, sqlState) => {
    frail.refuse(sqlState);
    try {
      for (const [what, want] of wants) {
        const how = await during(() => outcome(want(database)));
        expect([what, how]).toEqual([what, 'unavailable']);
      }
    } finally {
      frail.admit();
    }
  });

  it('rejects with a typed error that may be repeated when it is not known whether a transaction was kept', async () => {
    await during(async () => {
      const met = frail.endWhenSent({ containing: 'COMMIT' }, 'unheard');

      const kept = database.transaction(
        (tables) => tables.$executeRaw`INSERT INTO schedule (name, every) VALUES ('kept', interval '1 hour')`,
      );

      await expect(kept).rejects.toMatchObject({ name: 'PersistenceError', code: 'database-unavailable', retryable: true });
      await met;
      await untilBack();
      expect(await database.tables.schedule.count({ where: { name: 'kept' } })).toBe(1);
    });
  });

  it('is told from a mistake: two transactions in each other’s way, and a server that only reads', async () => {
    const other = new Database(server.url);
    const lock = (tables: Pick<Database['tables'], '$executeRaw'>, key: number) =>
      tables.$executeRaw`SELECT pg_advisory_xact_lock(${key}::bigint)`;
    let bothHold: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (bothHold = resolve));
    let holding = 0;
    const crossing = (first: number, second: number) =>
      other.transaction(async (tables) => {
        await lock(tables, first);
        if (++holding === 2) bothHold();
        await held;
        await lock(tables, second);
      });

    const ways = await Promise.all([outcome(crossing(1, 2)), outcome(crossing(2, 1))]);
    const readOnly = other.transaction(async (tables) => {
      await tables.$executeRaw`SET TRANSACTION READ ONLY`;
      await tables.$executeRaw`DELETE FROM schedule`;
    });

    expect([...ways].sort()).toEqual(['done', 'unavailable']);
    expect(await outcome(readOnly)).toBe('unavailable');
    await other.close();
  });
});
