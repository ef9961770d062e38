import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createDatabase, type EmbeddedPostgres, layOutDatabase, startEmbeddedPostgres } from '@waybill/embedded';
import pg from 'pg';
import { makeTestFolder } from './test-folder.js';

/** A database of its own for one spec file, on the server of the whole run. */
export interface TestDatabase {
  readonly name: string;
  /** As the application's role, which owns the database. */
  readonly url: string;
  /** As the queue's role, which owns the schema `bullmq` and nothing else. */
  readonly queueUrl: string;
  /** As the superuser, for tests that lock a role out or end its sessions. */
  readonly adminUrl: string;
  /** Ends every session and removes the database. */
  drop(): Promise<void>;
}

/** A database that is prepared once per run and copied for every spec file that wants it. */
export interface DatabaseTemplate {
  /** Lower-case letters and underscores. */
  readonly name: string;
  /** Fills the template, e.g. applies the migrations; leaves no connection open. */
  prepare(database: Pick<TestDatabase, 'url' | 'queueUrl'>): Promise<void>;
}

export interface CreateTestDatabaseOptions {
  /** Copied when given; an empty database with its two roles otherwise. */
  readonly template?: DatabaseTemplate;
}

/**
 * Makes a database with a random name. The first call of a run starts the server, which
 * test/global-teardown.mjs stops; so this works under Jest only.
 */
export async function createTestDatabase({ template }: CreateTestDatabaseOptions = {}): Promise<TestDatabase> {
  const server = await sharedServer();
  if (template !== undefined) await ensureTemplate(server, template);
  const name = `test_${randomBytes(8).toString('hex')}`;
  await makeDatabase(server, name, template?.name);
  return {
    name,
    ...urlsOf(server, name),
    adminUrl: withDatabase(server.adminUrl, name),
    drop: () => asAdmin(server, (client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)).then(() => undefined),
  };
}

/** A PostgreSQL of its own in a new temporary folder, for a spec or benchmark that stops or kills it; `stop` removes the folder. */
export async function startTestPostgres(): Promise<EmbeddedPostgres> {
  const folder = await makeTestFolder('postgres-');
  const server = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres'), durable: false });
  return {
    ...server,
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

type Server = Pick<EmbeddedPostgres, 'url' | 'queueUrl' | 'adminUrl'>;

const startTimeoutMs = 60_000;

/** Jest's workers are processes: whoever comes first starts the server, the others find where it is. */
async function sharedServer(): Promise<Server> {
  const folder = process.env['WAYBILL_TEST_RUN_FOLDER'];
  if (folder === undefined) {
    throw new Error("createTestDatabase needs the run folder that Jest's global set-up makes (test/global-setup.mjs)");
  }
  const address = join(folder, 'postgres.json');
  const deadline = performance.now() + startTimeoutMs;
  for (;;) {
    const known = await readFile(address, 'utf8').catch(() => undefined);
    if (known !== undefined) return JSON.parse(known) as Server;
    const started = await startOrLeave(join(folder, 'postgres'));
    if (started !== undefined) {
      await writeFile(`${address}.draft`, JSON.stringify(started), { mode: 0o600 });
      await rename(`${address}.draft`, address);
      return started;
    }
    if (performance.now() > deadline) throw new Error(`the PostgreSQL of the tests did not start within ${startTimeoutMs} ms`);
    await delay(20);
  }
}

async function startOrLeave(dataDir: string): Promise<Server | undefined> {
  try {
    const { url, queueUrl, adminUrl } = await startEmbeddedPostgres({ dataDir, durable: false });
    return { url, queueUrl, adminUrl };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'already-running') return undefined;
    throw error;
  }
}

/** Fills the template under another name and renames it: under its own name it is complete. */
async function ensureTemplate(server: Server, template: DatabaseTemplate): Promise<void> {
  await asAdmin(server, async (client) => {
    await client.query('SELECT pg_advisory_lock(hashtext($1))', [template.name]);
    const known = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [template.name]);
    if (known.rowCount !== 0) return;
    const draft = `${template.name}_draft`;
    await client.query(`DROP DATABASE IF EXISTS ${draft} WITH (FORCE)`);
    await makeDatabase(server, draft);
    await template.prepare(urlsOf(server, draft));
    await client.query(`ALTER DATABASE ${draft} RENAME TO ${template.name}`);
  });
}

async function makeDatabase(server: Server, name: string, template?: string): Promise<void> {
  await asAdmin(server, (client) => createDatabase(client, name, template));
  await asAdmin({ adminUrl: withDatabase(server.adminUrl, name) }, layOutDatabase);
}

async function asAdmin<T>({ adminUrl }: Pick<Server, 'adminUrl'>, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function urlsOf(server: Server, database: string): Pick<TestDatabase, 'url' | 'queueUrl'> {
  return { url: withDatabase(server.url, database), queueUrl: withDatabase(server.queueUrl, database) };
}

function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}
