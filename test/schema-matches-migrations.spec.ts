import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { applyMigrations } from '@waybill/persistence';
import { createTestDatabase, type TestDatabase } from '@waybill/testing';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const root = path.resolve(import.meta.dirname, '..');
const schemaFile = path.join(root, 'prisma/schema.prisma');

interface Diff {
  /** 0: none; 2: some. */
  readonly status: number;
  readonly output: string;
}

/** What would have to be done to the database so that it is as the schema says. */
async function diffAgainst(database: TestDatabase, schema: string): Promise<Diff> {
  const prisma = [path.join(root, 'tools/prisma.mjs'), 'migrate', 'diff', '--from-config-datasource', '--to-schema', schema, '--exit-code'];
  try {
    const { stdout } = await promisify(execFile)(process.execPath, prisma, { env: { ...process.env, DATABASE_URL: database.url } });
    return { status: 0, output: stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { readonly code: number; readonly stdout: string; readonly stderr: string };
    return { status: code, output: stdout + stderr };
  }
}

describe('prisma/schema.prisma', () => {
  let database: TestDatabase;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'waybill-schema-'));
    database = await createTestDatabase();
    await applyMigrations(database.url);
  });

  afterAll(async () => {
    await database.drop();
    rmSync(folder, { recursive: true });
  });

  it('says what the migrations make', async () => {
    expect(await diffAgainst(database, schemaFile)).toEqual({ status: 0, output: expect.stringContaining('No difference detected') });
  });

  it('is held against columns, their types and their defaults', async () => {
    const schema = readFileSync(schemaFile, 'utf8');
    const changed = path.join(folder, 'schema.prisma');
    writeFileSync(changed, schema.replace('issuer    String', 'issuer    String?'));

    const diff = await diffAgainst(database, changed);

    expect(diff.status).toBe(2);
    expect(diff.output).toMatch(/principal[\s\S]*issuer/);
  });
});
