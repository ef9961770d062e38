import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createTestDatabase, startTypeScript, type TestDatabase } from '@waybill/testing';
import pg from 'pg';
import { applyMigrations, migrationsFolder } from './apply-migrations.js';

describe('applyMigrations', () => {
  let database: TestDatabase;
  let folder: string;

  beforeEach(async () => {
    database = await createTestDatabase();
    folder = await mkdtemp(path.join(tmpdir(), 'waybill-migrations-'));
    await writeFile(path.join(folder, 'migration_lock.toml'), 'provider = "postgresql"\n');
    await migration('1_one', 'CREATE TABLE one (id integer PRIMARY KEY); INSERT INTO one VALUES (1);');
    await migration('2_two', 'CREATE TABLE two (id integer PRIMARY KEY);');
  });

  afterEach(async () => {
    await database.drop();
    await rm(folder, { recursive: true });
  });

  async function migration(name: string, sql: string): Promise<void> {
    await mkdir(path.join(folder, name), { recursive: true });
    await writeFile(path.join(folder, name, 'migration.sql'), sql);
  }

  async function query<Row extends pg.QueryResultRow>(sql: string): Promise<Row[]> {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      return (await client.query<Row>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  const apply = () => applyMigrations(database.url, folder);
  const books = () =>
    query<{ name: string; steps: number }>(
      'SELECT migration_name AS name, applied_steps_count AS steps FROM _prisma_migrations ORDER BY 1',
    );
  const tables = async () =>
    (
      await query<{ name: string }>(
        `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE '\\_%' ORDER BY 1`,
      )
    ).map(({ name }) => name);

  it('applies what is missing, in the order of names, and nothing twice', async () => {
    expect(await apply()).toEqual(['1_one', '2_two']);
    expect(await apply()).toEqual([]);
    await migration('3_three', 'CREATE TABLE three (id integer REFERENCES one (id))');
    expect(await apply()).toEqual(['3_three']);

    expect(await tables()).toEqual(['one', 'three', 'two']);
    expect(await books()).toEqual(['1_one', '2_two', '3_three'].map((name) => ({ name, steps: 1 })));
  });

  it('lets one of many callers apply each', async () => {
    const applied = await Promise.all(Array.from({ length: 6 }, apply));

    expect(applied.flat().sort()).toEqual(['1_one', '2_two']);
  });

  it('lets one of four processes apply the real ones', async () => {
    const code = `import { applyMigrations } from '@waybill/persistence';
      console.log(JSON.stringify(await applyMigrations(${JSON.stringify(database.url)})));`;
    const processes = Array.from({ length: 4 }, () => startTypeScript(code));

    const applied = (await Promise.all(processes.map((one) => one.nextLine()))) as string[][];
    await Promise.all(processes.map((one) => one.kill()));

    const real = await readdir(migrationsFolder, { withFileTypes: true });
    const names = real.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
    expect(applied.filter((some) => some.length > 0)).toEqual([names.sort()]);
    expect(await tables()).toContain('promotion');
  });

  it('applies a migration whole or not at all, and stops there', async () => {
    await migration('2_two', 'CREATE TABLE two (id integer); INSERT INTO nowhere VALUES (1);');
    await migration('3_three', 'CREATE TABLE three (id integer)');

    await expect(apply()).rejects.toThrow('relation "nowhere" does not exist');

    expect(await tables()).toEqual(['one']);
    expect(await books()).toEqual([{ name: '1_one', steps: 1 }]);
    await migration('2_two', 'CREATE TABLE two (id integer)');
    expect(await apply()).toEqual(['2_two', '3_three']);
  });

  it('leaves nothing of a migration whose session ends in the middle', async () => {
    await migration('2_two', 'CREATE TABLE two (id integer); SELECT pg_terminate_backend(pg_backend_pid());');

    await expect(apply()).rejects.toMatchObject({ code: 'database-unavailable', retryable: true, cause: { code: '57P01' } });

    expect(await tables()).toEqual(['one']);
    expect(await books()).toEqual([{ name: '1_one', steps: 1 }]);
  });

  it.each<[string, string, () => Promise<unknown>]>([
    ['migration-edited', 'was edited after it was applied', () => migration('1_one', 'CREATE TABLE one (id bigint)')],
    [
      'migration-failed',
      'broke off under another tool',
      () => query(`UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name = '2_two'`),
    ],
    ['migration-unknown', 'is of a newer version', () => rm(path.join(folder, '2_two'), { recursive: true })],
  ])('refuses with %s when one %s, and applies nothing', async (code, _name, change) => {
    await apply();
    await change();
    await migration('3_three', 'CREATE TABLE three (id integer)');

    await expect(apply()).rejects.toMatchObject({ code, retryable: false });

    expect(await tables()).toEqual(['one', 'two']);
  });

  it('does not mind one that was rolled back', async () => {
    await apply();
    await query(`DROP TABLE two`);
    await query(`UPDATE _prisma_migrations SET rolled_back_at = now() WHERE migration_name = '2_two'`);

    expect(await apply()).toEqual(['2_two']);
  });

  it('releases its lock when it was refused', async () => {
    await apply();
    await migration('1_one', 'CREATE TABLE one (id bigint)');
    await expect(apply()).rejects.toMatchObject({ code: 'migration-edited' });

    expect(
      await query(
        `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      ),
    ).toEqual([]);
  });
});
