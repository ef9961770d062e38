import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';

const library = resolve(import.meta.dirname, '..');
const entry = join(library, 'dist/main.js');
let dataDir: string;
let child: ChildProcess | undefined;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'waybill-local-registry-'));
  const tsc = resolve(library, '../../node_modules/typescript/bin/tsc');
  await promisify(execFile)(process.execPath, [tsc, '-b', library]);
}, 120_000);
afterEach(() => {
  child?.kill('SIGKILL');
});
afterAll(() => rm(dataDir, { recursive: true, force: true }));

interface Started {
  readonly process: ChildProcess;
  readonly url: string;
  /** Writes a line to its standard input and gives the line it answers with. */
  tell(line: string): Promise<unknown>;
}

function start(...more: string[]): Promise<Started> {
  return startWith('--data', dataDir, ...more);
}

async function startWith(...args: string[]): Promise<Started> {
  const started = spawn(process.execPath, [entry, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  child = started;
  const lines = createInterface(started.stdout);
  const next = async () => JSON.parse(((await once(lines, 'line')) as [string])[0]) as unknown;
  const { url } = (await next()) as { url: string };
  return {
    process: started,
    url,
    tell: (line) => {
      started.stdin.write(`${line}\n`);
      return next();
    },
  };
}

async function failure(...args: string[]): Promise<{ readonly code: number; readonly stderr: string }> {
  return await promisify(execFile)(process.execPath, [entry, ...args]).then(
    () => ({ code: 0, stderr: '' }),
    (error: unknown) => error as { code: number; stderr: string },
  );
}

describe('the registry as a process', () => {
  it('says on standard output where it listens', async () => {
    const { url } = await start();

    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await fetch(`${url}/v2/`)).status).toBe(200);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('ends well on %s', async (signal) => {
    const { process: running } = await start();

    running.kill(signal);

    expect(await once(running, 'exit')).toEqual([0, null]);
  });

  it('ends with its parent when it was asked to', async () => {
    const { process: running } = await start('--exit-with-stdin');

    running.stdin?.end();

    expect(await once(running, 'exit')).toEqual([0, null]);
  });

  it('outlives its standard input when it was not', async () => {
    const { process: running, url } = await start();

    running.stdin?.end();

    expect((await fetch(`${url}/v2/`)).status).toBe(200);
    expect(running.exitCode).toBeNull();
  });

  it('follows plans of faults that come on standard input, and ends with it', async () => {
    const { process: running, url, tell } = await start('--control', '--exit-with-stdin');
    const status = async () => (await fetch(`${url}/v2/`)).status;

    expect(await tell('{"faults":[{"fault":{"status":503}}]}')).toEqual({ faults: 1 });
    expect([await status(), await status()]).toEqual([503, 200]);
    expect(await tell('{"faults":[{"times":"always","fault":{"status":599}}]}')).toEqual({ faults: 1 });
    expect(await tell('{"faults":[{"fault":{"satus":503}}]}')).toEqual({ error: expect.stringContaining('satus') });
    expect(await tell('nonsense')).toEqual({ error: expect.stringContaining('JSON') });
    expect(await status()).toBe(599);
    expect(await tell('{"faults":[]}')).toEqual({ faults: 0 });
    expect(await status()).toBe(200);

    running.stdin?.end();
    expect(await once(running, 'exit')).toEqual([0, null]);
  });

  it('keeps everything in memory when it is told to', async () => {
    const { url } = await startWith('--memory', '2000');
    const push = (content: string) => {
      const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
      return fetch(`${url}/v2/app/blobs/uploads/?digest=${digest}`, { method: 'POST', body: content });
    };

    expect((await push('fits')).status).toBe(201);
    const refused = await push('x'.repeat(2000));
    expect([refused.status, await refused.text()]).toEqual([507, expect.stringContaining('memory-full')]);
  });

  it('asks for the users of a file', async () => {
    const file = join(dataDir, 'users.json');
    await writeFile(file, JSON.stringify([{ name: 'reader', password: 'secret', may: ['read'] }]));

    const { url } = await start('--users', file);

    expect((await fetch(`${url}/v2/`)).status).toBe(401);
    const authorization = `Basic ${Buffer.from('reader:secret').toString('base64')}`;
    expect((await fetch(`${url}/v2/`, { headers: { authorization } })).status).toBe(200);
  });

  it.each([JSON.stringify([{ name: 'reader', password: 'secret' }]), 'secret'])(
    'says what is wrong with users, and not what: %s',
    async (text) => {
      const file = join(dataDir, 'users.json');
      await writeFile(file, text);

      const { code, stderr } = await failure('--data', dataDir, '--users', file);

      expect([code, stderr.includes('--users must name a JSON file'), stderr.includes('secret')]).toEqual([1, true, false]);
    },
  );

  it.each([
    ['with two places', ['--data', 'x', '--memory', '1'], 'exclude each other'],
    ['with a memory that is no number', ['--memory', 'lots'], '--memory must be a number of bytes'],
    ['without a data folder', [], '--data DIR is missing'],
    ['with a port that is none', ['--data', 'x', '--port', 'http'], '--port must be a number'],
    ['with another address', ['--data', 'x', '--host', '0.0.0.0'], '--host'],
  ])('says what is wrong when started %s', async (_how, args, message) => {
    const { code, stderr } = await failure(...args);

    expect(code).toBe(1);
    expect(stderr).toContain(message);
  });
});
