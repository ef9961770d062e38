import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startTypeScript, type TypeScriptProcess } from '@waybill/testing';
import pg from 'pg';
import type { EmbeddedError } from '../embedded-error.js';
import { startTokenOf } from '../process/process-identity.js';
import { waitFor } from '../process/wait.js';
import type { EmbeddedPostgres } from './embedded-postgres.js';
import { startEmbeddedPostgres } from './start-embedded-postgres.js';

interface Report {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
}

let folder: string;
let servers: EmbeddedPostgres[];
let supervisors: TypeScriptProcess[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'waybill-orphan-'));
  servers = [];
  supervisors = [];
});

afterEach(async () => {
  for (const supervisor of supervisors) await supervisor.kill();
  // Whatever a killed supervisor left is adopted and stopped, so that no test leaves a process behind.
  if (servers.length === 0) await start();
  for (const server of servers) await server.stop();
  await rm(folder, { recursive: true, force: true });
});

async function start(): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDir: folder });
  servers.push(server);
  return server;
}

/** A supervisor of its own process, which holds the database until it is killed. */
async function startElsewhere(): Promise<Report & { readonly supervisor: TypeScriptProcess }> {
  const supervisor = startTypeScript(`
    import { startEmbeddedPostgres } from '@waybill/embedded';
    const { url, port, pid } = await startEmbeddedPostgres({ dataDir: ${JSON.stringify(folder)} });
    console.log(JSON.stringify({ url, port, pid }));
    setInterval(() => undefined, 60_000);
  `);
  supervisors.push(supervisor);
  return { ...((await supervisor.nextLine()) as Report), supervisor };
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

function kill(pid: number): Promise<true | undefined> {
  process.kill(pid, 'SIGKILL');
  return waitFor(() => (startTokenOf(pid) === undefined ? true : undefined), { timeoutMs: 10_000 });
}

describe('startEmbeddedPostgres after a kill', () => {
  it('adopts the server that a killed supervisor left behind', async () => {
    const earlier = await startElsewhere();
    await query(earlier.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await earlier.supervisor.kill('SIGKILL');

    const adopted = await start();

    expect(adopted).toMatchObject({ adopted: true, pid: earlier.pid, port: earlier.port, url: earlier.url });
    expect(await query(adopted.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('stops an adopted server like one of its own', async () => {
    const earlier = await startElsewhere();
    await earlier.supervisor.kill('SIGKILL');
    const adopted = await start();

    await adopted.stop();

    expect(startTokenOf(earlier.pid)).toBeUndefined();
  });

  it('says when an adopted server ends by itself', async () => {
    const earlier = await startElsewhere();
    await earlier.supervisor.kill('SIGKILL');
    let report: (error: EmbeddedError) => void = () => undefined;
    const reported = new Promise<EmbeddedError>((resolve) => (report = resolve));
    servers.push(await startEmbeddedPostgres({ dataDir: folder, onUnexpectedExit: report }));

    await kill(earlier.pid);

    expect(await reported).toMatchObject({ code: 'exited' });
  });

  it('refuses while another process supervises the folder, naming it', async () => {
    const { supervisor, port } = await startElsewhere();

    const refusal = startEmbeddedPostgres({ dataDir: folder });

    await expect(refusal).rejects.toMatchObject({
      code: 'already-running',
      details: { pid: supervisor.pid, address: `127.0.0.1:${port}` },
    });
    await supervisor.kill('SIGKILL');
  });

  it('recovers what was committed when supervisor and server were killed together', async () => {
    const earlier = await startElsewhere();
    await query(earlier.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await earlier.supervisor.kill('SIGKILL');
    await kill(earlier.pid);

    const restarted = await start();

    expect(restarted.adopted).toBe(false);
    expect(await query(restarted.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('is not held up by a lock file whose process id went to another program, and leaves that alone', async () => {
    const earlier = await startElsewhere();
    await earlier.supervisor.kill('SIGKILL');
    await kill(earlier.pid);
    const foreigner = spawn('sleep', ['600'], { stdio: 'ignore' });
    await once(foreigner, 'spawn');
    const lockFile = join(folder, 'data', 'postmaster.pid');
    const [, ...rest] = (await readFile(lockFile, 'utf8')).split('\n');
    await writeFile(lockFile, [foreigner.pid, ...rest].join('\n'));

    const restarted = await start();

    expect(await query(restarted.url, 'SELECT 1 AS alive')).toEqual([{ alive: 1 }]);
    expect(foreigner.exitCode ?? foreigner.signalCode).toBeNull();
    foreigner.kill('SIGKILL');
  });

  it('stops a left server that does not know our password, and says which file to restore', async () => {
    const earlier = await startElsewhere();
    await earlier.supervisor.kill('SIGKILL');
    const credentialsFile = join(folder, 'credentials.json');
    const right = await readFile(credentialsFile, 'utf8');
    await writeFile(credentialsFile, JSON.stringify({ admin: 'wrong', owner: 'wrong', queue: 'wrong' }));

    const refusal = startEmbeddedPostgres({ dataDir: folder });

    await expect(refusal).rejects.toMatchObject({ code: 'credentials-missing', message: expect.stringContaining(credentialsFile) });
    expect(startTokenOf(earlier.pid)).toBeUndefined();
    await writeFile(credentialsFile, right);
  });
});
