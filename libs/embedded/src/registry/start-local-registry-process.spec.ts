import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { describeWith, startTypeScript, typescriptLoader } from '@waybill/testing';
import type { EmbeddedError } from '../embedded-error.js';
import { startTokenOf } from '../process/process-identity.js';
import { waitFor } from '../process/wait.js';
import type { RegistryEngine } from './registry-folder.js';
import { type LocalRegistryOptions, type LocalRegistryProcess, startLocalRegistryProcess } from './start-local-registry-process.js';

let folder: string;
let running: LocalRegistryProcess[];
let squatters: Server[];
let localRegistryMain: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'waybill-registry-'));
  running = [];
  squatters = [];
  localRegistryMain = join(folder, 'main.mjs');
  // Runs the sources of the built-in registry, so that nothing has to be built first.
  const sources = fileURLToPath(new URL('../../../local-registry/src/main.ts', import.meta.url));
  await writeFile(localRegistryMain, `await import(${JSON.stringify(typescriptLoader)}); await import(${JSON.stringify(sources)});\n`);
});

afterEach(async () => {
  for (const registry of running) await registry.stop();
  for (const squatter of squatters) squatter.close();
  await rm(folder, { recursive: true, force: true });
});

async function start(options: Partial<LocalRegistryOptions> = {}): Promise<LocalRegistryProcess> {
  const defaults = { name: 'prod', dataDir: join(folder, 'prod'), engine: 'auto' as const, localRegistryMain };
  const registry = await startLocalRegistryProcess({ ...defaults, ...options });
  running.push(registry);
  return registry;
}

async function takenPort(): Promise<number> {
  const squatter = createServer().listen(0, '127.0.0.1');
  squatters.push(squatter);
  await once(squatter, 'listening');
  const address = squatter.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const content = Buffer.from('a blob that must survive');
const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;

async function push(url: string): Promise<number> {
  const session = await fetch(`${url}/v2/team/app/blobs/uploads/`, { method: 'POST' });
  const location = new URL(session.headers.get('location') ?? '', url);
  location.searchParams.set('digest', digest);
  return (await fetch(location, { method: 'PUT', body: content })).status;
}

async function pull(url: string): Promise<string> {
  return (await fetch(`${url}/v2/team/app/blobs/${digest}`)).text();
}

function describeEngine(engine: RegistryEngine): void {
  const startEngine = (options: Partial<LocalRegistryOptions> = {}): Promise<LocalRegistryProcess> => start({ engine, ...options });

  it('starts, answers and listens on the loopback address only', async () => {
    const registry = await startEngine();

    expect(registry).toMatchObject({ name: 'prod', engine, url: `http://127.0.0.1:${registry.port}` });
    expect(registry.version).not.toBe('');
    expect((await fetch(`${registry.url}/v2/`)).status).toBe(200);
  });

  it('keeps images and address over a restart', async () => {
    const first = await startEngine();
    expect(await push(first.url)).toBe(201);
    await first.stop();

    const second = await startEngine();

    expect(second.url).toBe(first.url);
    expect(second.pid).not.toBe(first.pid);
    expect(await pull(second.url)).toBe(content.toString());
  });

  it('takes another port when the wanted one is taken, says so, and stays there', async () => {
    const port = await takenPort();
    const reports: unknown[] = [];
    const first = await startEngine({ port, log: (_message, fields) => reports.push(fields) });
    await first.stop();

    const second = await startEngine({ port });

    expect(first.requestedPort).toBe(port);
    expect(first.port).not.toBe(port);
    expect(reports).toContainEqual({ registry: 'prod', requestedPort: port, port: first.port });
    expect(second.port).toBe(first.port);
  });

  it('refuses a folder that another start holds, naming process and address', async () => {
    const first = await startEngine();

    await expect(startEngine()).rejects.toMatchObject({
      code: 'already-running',
      details: { pid: process.pid, address: `127.0.0.1:${first.port}` },
    });
    expect((await fetch(`${first.url}/v2/`)).status).toBe(200);
  });

  it('ends with its supervisor, and the next start finds images and address again', async () => {
    const dataDir = join(folder, 'prod');
    const supervisor = startTypeScript(`
      import { startLocalRegistryProcess } from '@waybill/embedded';
      const options = { name: 'prod', dataDir: ${JSON.stringify(dataDir)}, engine: '${engine}', localRegistryMain: ${JSON.stringify(localRegistryMain)} };
      const { pid, url } = await startLocalRegistryProcess(options);
      console.log(JSON.stringify({ pid, url }));
    `);
    const left = (await supervisor.nextLine()) as { pid: number; url: string };
    expect(await push(left.url)).toBe(201);

    await supervisor.kill('SIGKILL');

    expect(await waitFor(() => (startTokenOf(left.pid) === undefined ? true : undefined), { timeoutMs: 10_000 })).toBe(true);
    const registry = await startEngine();
    expect(registry.url).toBe(left.url);
    expect(await pull(registry.url)).toBe(content.toString());
  });

  it('says when it ends by itself', async () => {
    let report: (error: EmbeddedError) => void = () => undefined;
    const reported = new Promise<EmbeddedError>((resolve) => (report = resolve));
    const registry = await startEngine({ onUnexpectedExit: report });

    process.kill(registry.pid, 'SIGKILL');

    expect(await reported).toMatchObject({ code: 'exited', message: expect.stringContaining('the registry prod') });
  });
}

describeWith('docker-registry', 'a local registry on docker-registry', () => {
  describeEngine('docker-registry');

  it('is the first choice, and its images decide from then on', async () => {
    const first = await start();
    await first.stop();

    expect(first.engine).toBe('docker-registry');
    await expect(start({ searchPath: folder })).rejects.toMatchObject({
      code: 'binaries-missing',
      message: expect.stringContaining('install it again'),
    });
  });

  it('finishes an upload that was begun before a restart', async () => {
    const first = await start();
    const session = await fetch(`${first.url}/v2/team/app/blobs/uploads/`, { method: 'POST' });
    const location = new URL(session.headers.get('location') ?? '', first.url);
    await first.stop();
    const second = await start();

    location.port = String(second.port);
    location.searchParams.set('digest', digest);
    const finished = await fetch(location, { method: 'PUT', body: content });

    expect(finished.status).toBe(201);
  });

  it('keeps the secret that signs uploads from other readers', async () => {
    await start();

    for (const name of ['config.yml', 'state.json']) expect((await stat(join(folder, 'prod', name))).mode & 0o077).toBe(0);
    const { secret } = JSON.parse(await readFile(join(folder, 'prod', 'state.json'), 'utf8')) as { secret: string };
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('a local registry on the built-in one', () => {
  describeEngine('local-registry');

  it('is the choice where docker-registry is not installed, and stays it', async () => {
    const first = await start({ searchPath: folder });
    await first.stop();

    const second = await start();

    expect([first.engine, second.engine]).toEqual(['local-registry', 'local-registry']);
  });

  it('is not taken in silence when docker-registry was asked for', async () => {
    await expect(start({ engine: 'docker-registry', searchPath: folder })).rejects.toMatchObject({ code: 'binaries-missing' });
  });
});
