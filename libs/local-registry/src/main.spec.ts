import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
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

async function start(...more: string[]): Promise<{ readonly process: ChildProcess; readonly url: string }> {
  const started = spawn(process.execPath, [entry, '--data', dataDir, ...more], { stdio: ['pipe', 'pipe', 'inherit'] });
  child = started;
  const [line] = (await once(createInterface(started.stdout), 'line')) as [string];
  return { process: started, url: (JSON.parse(line) as { url: string }).url };
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

  it.each([
    ['without a data folder', [], '--data DIR is missing'],
    ['with a port that is none', ['--data', 'x', '--port', 'http'], '--port must be a number'],
    ['with another address', ['--data', 'x', '--host', '0.0.0.0'], '--host'],
  ])('says what is wrong when started %s', async (_how, args, message) => {
    const { code, stderr } = await failure(...args);

    expect(code).toBe(1);
    expect(stderr).toContain(message);
  });
});
