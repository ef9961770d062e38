import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ControlClient, findFreePort } from '@waybill/embedded';
import { parseTopology } from '@waybill/topology';
import { type DataFolder, openDataFolder } from './data-folder.js';
import { FirstFailure } from './first-failure.js';
import { Stack } from './stack.js';
import { startSystem, type StartSystemOptions } from './start-system.js';

let root: string;
let folder: DataFolder;
let stack: Stack;
let failure: FirstFailure;
let asked: AbortController;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'waybill-system-'));
  stack = new Stack();
  asked = new AbortController();
  failure = new FirstFailure(asked.signal);
  folder = await openDataFolder(join(root, 'data'), stack);
});
afterEach(async () => {
  await stack.unwind();
  await rm(root, { recursive: true, force: true });
});

/** A program in the place of api or worker: it writes down its environment and end, and answers health once `readyWhen` holds. */
function program(name: string, readyWhen: string): string {
  return `
    const { appendFileSync, existsSync, writeFileSync } = require('node:fs');
    writeFileSync(${JSON.stringify(join(root, `${name}.json`))}, JSON.stringify({ pid: process.pid, env: process.env }));
    const isReady = () => ${readyWhen};
    const port = process.env[${JSON.stringify(`WAYBILL_${name.toUpperCase()}_PORT`)}];
    require('node:http').createServer((_request, response) => response.writeHead(isReady() ? 200 : 503).end()).listen(port, '127.0.0.1');
    process.on('SIGTERM', () => { appendFileSync(${JSON.stringify(join(root, 'ends'))}, '${name} '); process.exit(0); });
    process.stdin.resume().on('end', () => process.exit(0));
  `;
}

async function install(programs: Readonly<Record<'api' | 'worker', string>>): Promise<void> {
  for (const [name, code] of Object.entries(programs)) {
    await mkdir(join(root, 'apps', name, 'dist'), { recursive: true });
    await writeFile(join(root, 'apps', name, 'dist', 'main.js'), code);
  }
}

function start(more: Partial<StartSystemOptions> = {}): ReturnType<typeof startSystem> {
  const topology = { name: 'empty', locations: {}, registries: {}, paths: {}, replications: [], retention: [] };
  const environment = { DATABASE_URL: 'postgresql://127.0.0.1/real', WAYBILL_SECRET_X: 'x' };
  return startSystem({ root, folder, topology, port: 0, environment, failure, onApiReady: () => undefined, stack, ...more });
}

async function seen(name: 'api' | 'worker'): Promise<{ readonly pid: number; readonly env: Readonly<Record<string, string>> }> {
  return JSON.parse(await readFile(join(root, `${name}.json`), 'utf8')) as Awaited<ReturnType<typeof seen>>;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const ready = 'true';

const withArchive = `apiVersion: waybill/v1
kind: Topology
metadata: { name: later }
locations: { eu: {} }
registries:
  archive: { role: archive, location: eu, local: true }
`;

describe('startSystem', () => {
  it('hands on what is for the servers, and to the API alone the keys of the administrator and of what local registries tell', async () => {
    await install({ api: program('api', ready), worker: program('worker', ready) });

    const { database, queue } = await start();

    const [api, worker] = [await seen('api'), await seen('worker')];
    for (const { env } of [api, worker]) {
      expect(env).toMatchObject({ DATABASE_URL: 'postgresql://127.0.0.1/real', WAYBILL_SECRET_X: 'x', WAYBILL_EXIT_WITH_STDIN: '1' });
    }
    expect(api.env['WAYBILL_ADMIN_KEY']).toBe(folder.key.text);
    expect(worker.env['WAYBILL_ADMIN_KEY']).toBeUndefined();
    expect(api.env['WAYBILL_NOTIFICATION_KEY']).toMatch(/^[0-9a-f]{64}$/);
    expect(worker.env['WAYBILL_NOTIFICATION_KEY']).toBeUndefined();
    expect(api.env['WAYBILL_CONTROL_SOCKET']).toBeUndefined();
    expect(await new ControlClient(worker.env['WAYBILL_CONTROL_SOCKET'] ?? '').registries()).toEqual([]);
    expect({ database, queue }).toEqual({ database: 'PostgreSQL, from DATABASE_URL', queue: 'on PostgreSQL' });
  });

  it('tells the address as soon as the API answers, whatever the worker does', async () => {
    const gate = join(root, 'gate');
    await install({ api: program('api', ready), worker: program('worker', `existsSync(${JSON.stringify(gate)})`) });
    const addresses: string[] = [];

    const { apiUrl } = await start({
      onApiReady: (url) => {
        addresses.push(url);
        void writeFile(gate, '');
      },
    });

    expect(addresses).toEqual([apiUrl]);
  });

  it('has the worker listen where it was wanted, and tells where it does', async () => {
    await install({ api: program('api', ready), worker: program('worker', ready) });
    const port = await findFreePort();

    const { workerUrl } = await start({
      environment: { DATABASE_URL: 'postgresql://127.0.0.1/real', WAYBILL_WORKER_PORT: String(port) },
    });

    expect(workerUrl).toBe(`http://127.0.0.1:${port}`);
    expect((await fetch(workerUrl)).status).toBe(200);
  });

  it('runs the registries that turn out to be missing, each once', async () => {
    await install({ api: program('api', ready), worker: program('worker', ready) });
    const wanted = parseTopology(withArchive, { file: 'topology.yaml' }).topology;
    if (wanted === undefined) throw new Error('the topology of this spec is broken');
    const system = await start();

    await system.runMissing(wanted);
    await system.runMissing(wanted);

    expect(system.registries.map(({ name }) => name)).toEqual(['archive']);
    expect((await fetch(`${system.registries[0]?.url}/v2/`)).status).toBe(200);
  });

  it('stops what was started when another part does not start, and says why', async () => {
    await install({
      api: program('api', ready),
      worker: `console.error('the worker has no hands'); setTimeout(() => process.exit(3), 50);`,
    });

    const started = start();
    await expect(started).rejects.toMatchObject({ code: 'start-failed', message: expect.stringContaining('the worker has no hands') });
    await stack.unwind();

    expect(isAlive((await seen('api')).pid)).toBe(false);
  });

  it('reports a part that dies later', async () => {
    await install({ api: program('api', ready), worker: program('worker', ready) });
    await start();
    const died = new Promise((resolve) => failure.signal.addEventListener('abort', resolve));

    process.kill((await seen('worker')).pid, 'SIGKILL');
    await died;

    expect(failure.reasonOf(undefined)).toMatchObject({
      code: 'exited',
      message: expect.stringContaining('the worker ended by itself with SIGKILL'),
    });
  });

  it('gives up at once when it is told to', async () => {
    await install({ api: program('api', 'false'), worker: program('worker', 'false') });
    const wish = new Error('stopped');
    const started = start();

    asked.abort(wish);

    const error: unknown = await started.catch((reason: unknown) => reason);
    expect(failure.reasonOf(error)).toBe(wish);
  });
});
