import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { EmbeddedError } from '../embedded-error.js';
import type { EmbeddedPostgres, EmbeddedPostgresOptions } from './embedded-postgres.js';
import { startEmbeddedPostgres } from './start-embedded-postgres.js';

let folder: string;
let started: EmbeddedPostgres[];

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'waybill-embedded-')), 'postgres');
  started = [];
});

afterEach(async () => {
  for (const server of started) await server.stop();
  await rm(join(folder, '..'), { recursive: true, force: true });
});

async function start(options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDir: folder, durable: false, ...options });
  started.push(server);
  return server;
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

describe('startEmbeddedPostgres', () => {
  it('starts an empty folder as a server that lets its two roles in', async () => {
    const server = await start();

    expect(server.version).toMatch(/^18\./);
    expect(server.adopted).toBe(false);
    expect(await query(server.url, 'SELECT current_user, current_database()')).toEqual([
      { current_user: 'waybill', current_database: 'waybill' },
    ]);
    expect(await query(server.queueUrl, 'SELECT current_user')).toEqual([{ current_user: 'waybill_queue' }]);
  });

  it('listens on the loopback address only and on no socket file', async () => {
    const server = await start();

    const rows = await query(
      server.adminUrl,
      `SELECT current_setting('listen_addresses') AS tcp, current_setting('unix_socket_directories') AS sockets`,
    );

    expect(rows).toEqual([{ tcp: '127.0.0.1', sockets: '' }]);
  });

  it('flushes to the disk unless the data may be lost', async () => {
    const server = await start({ durable: true });

    const rows = await query(server.url, `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit`);

    expect(rows).toEqual([{ fsync: 'on', commit: 'on' }]);
  });

  it('keeps its passwords in files that only their owner may read, and out of what it reports', async () => {
    const reports: string[] = [];
    const server = await start({ log: (message, fields) => reports.push(message + JSON.stringify(fields)) });

    const credentials = await readFile(join(folder, 'credentials.json'), 'utf8');
    const passwords = Object.values(JSON.parse(credentials) as Record<string, string>);
    const log = await readFile(join(folder, 'server.log'), 'utf8');

    expect((await stat(join(folder, 'credentials.json'))).mode & 0o077).toBe(0);
    expect(passwords).toHaveLength(3);
    expect(server.url).toContain(passwords[1]);
    for (const password of passwords) expect(reports.join('') + log).not.toContain(password);
  });

  it('keeps data and address over a restart', async () => {
    const first = await start();
    await query(first.url, `CREATE TABLE kept AS SELECT 42 AS answer`);
    await first.stop();

    const second = await start();

    expect(second.url).toBe(first.url);
    expect(second.pid).not.toBe(first.pid);
    expect(await query(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('refuses a second start while the first supervises, naming its process and address', async () => {
    const first = await start();

    const refusal = await start().catch((error: unknown) => error);

    expect(refusal).toBeInstanceOf(EmbeddedError);
    expect(refusal).toMatchObject({ code: 'already-running', details: { pid: process.pid, address: `127.0.0.1:${first.port}` } });
    expect(await query(first.url, 'SELECT 1 AS still')).toEqual([{ still: 1 }]);
  });

  it('lets exactly one of several simultaneous starts win', async () => {
    const outcomes = await Promise.allSettled([start(), start(), start()]);

    const losers = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    expect(losers.map(({ reason }) => (reason as EmbeddedError).code)).toEqual(['already-running', 'already-running']);
  });

  it('refuses a folder of another major version and says how out, leaving it as it is', async () => {
    await (await start()).stop();
    const versionFile = join(folder, 'data', 'PG_VERSION');
    await writeFile(versionFile, '17\n');

    const refusal = await start().catch((error: unknown) => error);

    expect(refusal).toMatchObject({ code: 'wrong-major', details: { found: '17', wanted: 18 } });
    expect((refusal as Error).message).toMatch(/pg_dumpall.*move the folder away/);
    expect(await readFile(versionFile, 'utf8')).toBe('17\n');
  });

  it('refuses a database whose passwords are gone', async () => {
    await (await start()).stop();
    await rm(join(folder, 'credentials.json'));

    await expect(start()).rejects.toMatchObject({ code: 'credentials-missing' });
  });

  it('begins again after a first start that was cancelled in the middle', async () => {
    const abort = new AbortController();
    const cancelled = start({ signal: abort.signal });
    setImmediate(() => abort.abort());
    await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' });

    const server = await start();

    expect(await query(server.url, 'SELECT 1 AS alive')).toEqual([{ alive: 1 }]);
  });

  it('says when the server ends by itself, and not when it is stopped', async () => {
    const endings: string[] = [];
    const onUnexpectedExit = (error: EmbeddedError) => endings.push(error.code);
    const stopped = await start({ onUnexpectedExit });
    await stopped.stop();
    const ended = new Promise<EmbeddedError>(
      (resolve) => void start({ onUnexpectedExit: resolve }).then(({ pid }) => process.kill(pid, 'SIGQUIT')),
    );

    expect((await ended).code).toBe('exited');
    expect(endings).toEqual([]);
  });
});
