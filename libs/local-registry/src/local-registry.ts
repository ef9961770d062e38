import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WaybillError } from '@waybill/kernel';
import { Access, type AccessOptions } from './access.js';
import type { FaultRule } from './faults/fault.js';
import { FaultPlan, type PlannedFault } from './faults/fault-plan.js';
import { requestHandler } from './handle-request.js';
import { RepositoryLocks } from './repository-locks.js';
import { openFiles } from './storage/files/open-files.js';
import { openMemory } from './storage/memory/open-memory.js';
import type { Storage } from './storage/storage.js';
import { type UploadLimits, Uploads } from './uploads.js';

/** Anyone who reaches the registry may write to it, so only this machine does. There is no option for another address. */
const host = '127.0.0.1';

const limits: UploadLimits = { maxSessions: 512, maxBlobBytes: 64 * 1024 ** 3, idleMs: 60 * 60 * 1000 };

/** Where everything is kept. */
export type LocalRegistryStorage =
  /** In a folder, made when missing; one process at a time may use it. */
  | { readonly dataDir: string; readonly memory?: never }
  /** In memory: gone when the registry is closed. What would not fit is refused with 507. */
  | { readonly memory: { readonly maxBytes: number }; readonly dataDir?: never };

export interface ServeOptions extends AccessOptions {
  /** 0 or nothing takes any free port. */
  readonly port?: number;
  /** What goes wrong on purpose, by rule. For tests. */
  readonly faults?: readonly PlannedFault[];
  /** Sees every request; its fault counts where no rule has one. For tests. */
  readonly onRequest?: FaultRule;
}

export type LocalRegistryOptions = LocalRegistryStorage & ServeOptions;

export interface LocalRegistry {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly port: number;
  /** What goes wrong on purpose from now on. */
  readonly faults: FaultPlan;
  /** Stops listening, gives running requests a second, then breaks them off; what was stalled on purpose ends at once. */
  close(): Promise<void>;
}

export type LocalRegistryErrorCode = 'data-dir-unusable' | 'port-unusable';

export class LocalRegistryError extends WaybillError<LocalRegistryErrorCode> {}

/**
 * Starts a registry of distribution-spec v1.1.1 on loopback, open to every local process. Not for production.
 * @throws LocalRegistryError
 */
export async function startLocalRegistry(options: LocalRegistryOptions): Promise<LocalRegistry> {
  const storage = options.memory === undefined ? await openOrExplain(options.dataDir) : openMemory(options.memory.maxBytes);
  return serveStorage(storage, options);
}

/** Serves what `storage` holds; it belongs to the registry from here on. */
export async function serveStorage(storage: Storage, options: ServeOptions): Promise<LocalRegistry> {
  const faults = new FaultPlan(options.faults);
  const stopping = new AbortController();
  const server = serverFor(
    requestHandler({
      parts: { storage, uploads: new Uploads(storage.staging, limits), locks: new RepositoryLocks() },
      access: new Access(options),
      faultOf: (request) => {
        const watched = options.onRequest?.(request); // it sees those requests too that a rule decides
        return faults.rule(request) ?? watched;
      },
      stopping: stopping.signal,
    }),
  );
  const port = await listen(server, options.port ?? 0);
  const close = async (): Promise<void> => {
    stopping.abort();
    await stop(server);
  };
  return { url: `http://${host}:${port}`, port, faults, close };
}

async function openOrExplain(dataDir: string): Promise<Storage> {
  try {
    return await openFiles(dataDir);
  } catch (cause) {
    throw new LocalRegistryError(`the data folder ${dataDir} cannot be used: ${reasonOf(cause)}`, {
      code: 'data-dir-unusable',
      operation: 'start local registry',
      cause,
    });
  }
}

function serverFor(handler: ReturnType<typeof requestHandler>): Server {
  const server = createServer(
    {
      maxHeaderSize: 16 * 1024,
      headersTimeout: 10_000,
      requestTimeout: 0, // a large blob may take long; a connection on which nothing moves is ended below
      keepAliveTimeout: 60_000,
      noDelay: true,
    },
    (request, response) => void handler(request, response),
  );
  server.maxConnections = 1024;
  server.setTimeout(120_000);
  return server;
}

async function listen(server: Server, port: number): Promise<number> {
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (cause) {
    throw new LocalRegistryError(`cannot listen on ${host}:${port}: ${reasonOf(cause)}`, {
      code: 'port-unusable',
      operation: 'start local registry',
      cause,
    });
  }
  return (server.address() as AddressInfo).port;
}

async function stop(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  // A kept-alive connection whose request ends only now would stay open otherwise.
  const idle = setInterval(() => server.closeIdleConnections(), 20);
  const deadline = setTimeout(() => server.closeAllConnections(), 1000);
  await closed;
  clearInterval(idle);
  clearTimeout(deadline);
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
