import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { asAbsence } from './as-absence.js';
import { PersistenceError } from '../persistence-error.js';

/** The key that Prisma's own migration engine locks, so that the two exclude each other. */
const migrationLock = 72_707_369;

const bookkeeping = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL, finished_at TIMESTAMPTZ,
  migration_name VARCHAR(255) NOT NULL, logs TEXT, rolled_back_at TIMESTAMPTZ,
  started_at TIMESTAMPTZ NOT NULL DEFAULT now(), applied_steps_count INTEGER NOT NULL DEFAULT 0)`;

const connectTimeoutMs = 10_000;

interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

/** Where the migrations of this version lie. */
export const migrationsFolder = path.resolve(import.meta.dirname, '../../../../prisma/migrations');

/**
 * Brings the database to this version's schema; gives the names of what was applied.
 * Several processes may call it at once. It keeps Prisma's own books, so that
 * `prisma migrate status` agrees, and needs no engine binary.
 * @throws PersistenceError `migration-edited`, `migration-failed`, `migration-unknown`, and `database-unavailable`
 * when the server is away, starts, stops or is full; that it refuses the role or has no such database is thrown as it is
 */
export async function applyMigrations(url: string, folder: string = migrationsFolder): Promise<string[]> {
  const migrations = await readMigrations(folder);
  try {
    return await applyPending(url, migrations);
  } catch (error) {
    throw asAbsence(error);
  }
}

async function applyPending(url: string, migrations: readonly Migration[]): Promise<string[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: connectTimeoutMs });
  // A connection that ends says so to the statement under way; nobody else must hear of it.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [migrationLock]);
    await client.query(bookkeeping);
    const applied = await appliedMigrations(client);
    refuseUnknown(applied, migrations);
    const pending = migrations.filter((migration) => !isApplied(applied, migration));
    for (const migration of pending) await apply(client, migration);
    return pending.map(({ name }) => name);
  } finally {
    await client.end();
  }
}

async function readMigrations(folder: string): Promise<Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => {
      const sql = await readFile(path.join(folder, name, 'migration.sql'), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

async function appliedMigrations(client: pg.Client): Promise<Map<string, string>> {
  const { rows } = await client.query<{ name: string; checksum: string; finished: boolean }>(
    'SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS finished FROM _prisma_migrations WHERE rolled_back_at IS NULL',
  );
  const failed = rows.find((row) => !row.finished);
  if (failed !== undefined) {
    throw new PersistenceError(
      `migration ${failed.name} broke off in an earlier run: mend the database, then mark it with "prisma migrate resolve"`,
      {
        code: 'migration-failed',
        operation: 'apply migrations',
      },
    );
  }
  return new Map(rows.map((row) => [row.name, row.checksum]));
}

function isApplied(applied: ReadonlyMap<string, string>, migration: Migration): boolean {
  const checksum = applied.get(migration.name);
  if (checksum !== undefined && checksum !== migration.checksum) {
    throw new PersistenceError(`migration ${migration.name} was applied with another text: applied migrations must not be edited`, {
      code: 'migration-edited',
      operation: 'apply migrations',
    });
  }
  return checksum !== undefined;
}

function refuseUnknown(applied: ReadonlyMap<string, string>, migrations: readonly Migration[]): void {
  const known = new Set(migrations.map(({ name }) => name));
  const unknown = [...applied.keys()].find((name) => !known.has(name));
  if (unknown === undefined) return;
  throw new PersistenceError(`the database knows migration ${unknown}, this version of Waybill does not: start the newer version`, {
    code: 'migration-unknown',
    operation: 'apply migrations',
  });
}

/** One transaction, books included: a migration is applied whole or not at all. */
async function apply(client: pg.Client, { name, sql, checksum }: Migration): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query(sql);
    await client.query(
      'INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count) VALUES ($1, $2, $3, now(), 1)',
      [randomUUID(), checksum, name],
    );
    await client.query('COMMIT');
  } catch (error) {
    // A connection that is gone has rolled back.
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}
