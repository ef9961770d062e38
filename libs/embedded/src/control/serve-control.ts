import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { EmbeddedError, fromSystemError } from '../embedded-error.js';
import type { LocalRegistryProcess } from '../registry/start-local-registry-process.js';
import { CollectionsUnderWay } from './collections-under-way.js';
import { type ControlAnswer, type ControlRequest, maxRequestLength, parseRequest } from './control-protocol.js';
import { readLines } from './read-lines.js';

export interface ServeControlOptions {
  /** A folder that only its owner may enter; what stands at the socket's path there is replaced. */
  readonly folder: string;
  /** Those that run now. */
  readonly registries: () => readonly LocalRegistryProcess[];
}

/** The supervisor's ear. */
export interface ControlServer {
  /** Where it listens: a Unix domain socket that only its owner may use. */
  readonly path: string;
  /** Takes no more requests and cuts the open ones; collections go on until their registries are stopped. */
  close(): Promise<void>;
}

/** unix(7): `sun_path` has 108 bytes, on other systems 104, with a closing NUL. */
const maxPathBytes = 103;
const requestTimeoutMs = 10_000;

/** Listens for requests of programs of the same user on this machine. Codes: `permission-denied`, `disk-full`, `start-failed`. */
export async function serveControl({ folder, registries }: ServeControlOptions): Promise<ControlServer> {
  const path = await socketPath(folder);
  const sockets = new Set<Socket>();
  const underWay = new CollectionsUnderWay();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
    void serve(socket, { registries, underWay });
  });
  await rm(path, { force: true });
  await listen(server, path);
  await chmod(path, 0o600);
  return {
    path,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
      if (dirname(path) !== folder) await rm(dirname(path), { recursive: true, force: true });
    },
  };
}

async function socketPath(folder: string): Promise<string> {
  const path = join(folder, 'control.sock');
  if (Buffer.byteLength(path) <= maxPathBytes) return path;
  return join(await mkdtemp(join(tmpdir(), 'waybill-control-')), 'control.sock');
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(fromSystemError(cause, { operation: 'listen for control requests', path })));
    server.listen(path, resolve);
  });
}

interface Served extends Pick<ServeControlOptions, 'registries'> {
  readonly underWay: CollectionsUnderWay;
}

/** Never rejects. */
async function serve(socket: Socket, served: Served): Promise<void> {
  const silence = setTimeout(() => socket.destroy(), requestTimeoutMs);
  const say = (answer: ControlAnswer): void => void socket.write(`${JSON.stringify(answer)}\n`);
  try {
    const first = await readLines(socket, maxRequestLength).next();
    clearTimeout(silence);
    const request = first.done === true ? undefined : parseRequest(first.value);
    if (request !== undefined) await answer(request, served, say);
  } catch (error) {
    say({ error: errorOf(error) });
  } finally {
    clearTimeout(silence);
    socket.end();
  }
}

async function answer(request: ControlRequest, { registries, underWay }: Served, say: (answer: ControlAnswer) => void): Promise<void> {
  if (request.verb === 'registries') {
    say({ registries: registries().map(({ name, url, engine }) => ({ name, url, engine })) });
    return;
  }
  const registry = registries().find(({ name }) => name === request.registry);
  if (registry === undefined) throw unknown(request.registry);
  say({ collected: await underWay.collect(registry, request, (phase) => say({ phase })) });
}

function errorOf(error: unknown): Extract<ControlAnswer, { error: unknown }>['error'] {
  if (error instanceof EmbeddedError) return { code: error.code, message: error.message, retryable: error.retryable };
  return { code: 'collection-failed', message: error instanceof Error ? error.message : String(error), retryable: false };
}

function unknown(name: string): EmbeddedError {
  return new EmbeddedError(`this "waybill up" runs no registry ${name}`, { code: 'registry-unknown', operation: `collect ${name}` });
}
