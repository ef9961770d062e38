import { spawnSync } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { describeWhere, startTypeScript } from '@waybill/testing';
import pg from 'pg';
import { findPostgresBinaries } from './binaries.js';
import type { EmbeddedPostgres, EmbeddedPostgresOptions } from './embedded-postgres.js';
import { startEmbeddedPostgres } from './start-embedded-postgres.js';

/** An ordinary user's way is what every other spec takes when such a user runs the tests. */
const root = { need: 'root', isMet: process.getuid?.() === 0 };
const mapping = ['--user', '--map-user=65534', '--map-group=65534', 'true'];
const namespaces = { need: 'root and user namespaces', isMet: root.isMet && spawnSync('unshare', mapping).status === 0 };

let parent: string;
let programs: string;
let started: EmbeddedPostgres[];

beforeAll(async () => {
  programs = await mkdtemp(join(tmpdir(), 'waybill-programs-'));
  await cp((await findPostgresBinaries()).root, join(programs, 'native'), { recursive: true, verbatimSymlinks: true });
});

afterAll(() => rm(programs, { recursive: true, force: true }));

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'waybill-identity-'));
  started = [];
});

afterEach(async () => {
  for (const server of started) await server.stop();
  const moved = await readFile(join(parent, 'postgres', 'state.json'), 'utf8').then(
    (text) => (JSON.parse(text) as { relocatedTo?: string }).relocatedTo,
    () => undefined,
  );
  if (moved !== undefined) await rm(moved, { recursive: true, force: true });
  await rm(parent, { recursive: true, force: true });
});

async function start(options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDir: join(parent, 'postgres'), durable: false, ...options });
  started.push(server);
  return server;
}

/** The programs where everybody can reach them, wherever the repository stands. */
async function reachableBinaries(): Promise<string> {
  await chmod(parent, 0o711);
  await chmod(programs, 0o711);
  return join(programs, 'native');
}

/** The programs where only root can reach them. */
async function privateBinaries(): Promise<string> {
  await chmod(programs, 0o700);
  return join(programs, 'native');
}

/** The user as which the server really runs, as the kernel sees it. */
async function ownerOf({ pid }: EmbeddedPostgres): Promise<number> {
  return (await stat(`/proc/${pid}`)).uid;
}

async function remember(server: EmbeddedPostgres, statement: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}

describeWhere(root, 'the identity of the server when root starts it', () => {
  it('is nobody where nobody can reach programs and data', async () => {
    const server = await start({ binariesRoot: await reachableBinaries() });

    expect(server.how).toBe('nobody');
    expect(await ownerOf(server)).not.toBe(0);
    expect((await stat(join(parent, 'postgres', 'data'))).mode & 0o777).toBe(0o700);
  });

  it('works in a folder that only root can enter, without widening it', async () => {
    await chmod(parent, 0o700);

    const server = await start({ binariesRoot: await privateBinaries() });

    expect(['user-namespace', 'relocated']).toContain(server.how);
    expect(await remember(server, 'SELECT 1 AS alive')).toEqual([{ alive: 1 }]);
    expect((await stat(parent)).mode & 0o777).toBe(0o700);
    expect((await stat(programs)).mode & 0o777).toBe(0o700);
  });

  it('is nobody in /var/lib when neither works, with programs and data moved there', async () => {
    const server = await start({ forceHow: 'relocated', binariesRoot: await privateBinaries() });

    expect(server.how).toBe('relocated');
    expect(await ownerOf(server)).not.toBe(0);
    expect(await remember(server, `SELECT current_setting('TimeZone') AS zone`)).toEqual([{ zone: 'UTC' }]);
  });

  it('refuses to be root, and says what was tried', async () => {
    const refusal = start({ forceHow: 'nobody', binariesRoot: await privateBinaries() });

    await expect(refusal).rejects.toMatchObject({
      code: 'no-unprivileged-identity',
      message: expect.stringMatching(/nobody: .*run waybill as an ordinary user, or set DATABASE_URL/),
    });
  });

  it('is the user itself when that is not root', async () => {
    const binariesRoot = await reachableBinaries();
    const home = join(parent, 'home');
    await mkdir(home, { mode: 0o777 });
    await chmod(home, 0o777);
    const dataDir = join(home, 'postgres');
    const ordinary = startTypeScript(
      `
      import { startEmbeddedPostgres } from '@waybill/embedded';
      process.setgroups([]);
      process.setgid('nogroup');
      process.setuid('nobody');
      const options = { dataDir: ${JSON.stringify(dataDir)}, binariesRoot: ${JSON.stringify(binariesRoot)}, durable: false };
      const server = await startEmbeddedPostgres(options);
      const { how, version } = server;
      await server.stop();
      console.log(JSON.stringify({ how, version, uid: process.getuid() }));
    `,
      { HOME: home },
    );

    const report = await ordinary.nextLine();

    expect(report).toEqual({ how: 'direct', version: expect.stringMatching(/^18\./), uid: expect.any(Number) });
    expect(report).not.toMatchObject({ uid: 0 });
    await ordinary.kill();
  });
});

describeWhere(namespaces, 'the identity of the server where namespaces may be made', () => {
  it('is a user namespace where only root can reach the data', async () => {
    const server = await start();

    expect(server.how).toBe('user-namespace');
  });

  it('may change from start to start, and the data stays', async () => {
    const binariesRoot = await reachableBinaries();
    const first = await start({ binariesRoot, forceHow: 'nobody' });
    await remember(first, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();
    const second = await start({ binariesRoot, forceHow: 'user-namespace' });
    expect(await remember(second, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    await second.stop();
    const third = await start({ binariesRoot, forceHow: 'relocated' });
    expect(await remember(third, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    await third.stop();

    const fourth = await start({ binariesRoot });

    expect(fourth.how).toBe('relocated');
    expect(await remember(fourth, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  }, 90_000);
});
