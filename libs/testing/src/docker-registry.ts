import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { get as getSecurely } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { hash } from 'bcryptjs';
import type { TestAuthority } from './certificates.js';
import { findServer, type FoundServer } from './needs.js';

export interface DockerRegistryOptions {
  /** Ask for this user on every request; open when absent. */
  readonly htpasswd?: { readonly username: string; readonly password: string };
  /** Ask for a token of this server; without a word about it, of none. Excludes `htpasswd`. */
  readonly token?: TokenAuth;
  /** Refuse all writes (405 without a body). Default false. */
  readonly readOnly?: boolean;
  /** Allow deletion. Default true. */
  readonly deleteEnabled?: boolean;
  /** Speak https with a certificate of this authority for 127.0.0.1; with `askClients`, only to those who have one of it too. */
  readonly tls?: { readonly authority: TestAuthority; readonly askClients?: boolean };
  /** Remember in memory which blobs there are, as the package's own configuration does. Default false. */
  readonly blobCache?: boolean;
  /** Take manifests whose foreign layers have URLs that match one of these patterns. Default none, as Distribution's own. */
  readonly foreignUrls?: readonly string[];
  /** Tell somebody what happens, of blobs too, and again and again until it is heard. */
  readonly notifications?: { readonly url: string; readonly authorization: string };
}

/** A token server that a registry trusts. */
export interface TokenAuth {
  /** Where tokens are asked for, as the registry tells its clients. */
  readonly realm: string;
  /** What the registry calls itself; the tokens' audience. */
  readonly service: string;
  readonly issuer: string;
  /** PEM: the certificates that tokens must be signed with. */
  readonly certificates: string;
}

/** Distribution, running on loopback. */
export interface RunningRegistry {
  /** `http://127.0.0.1:<port>`, or https. */
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
  readonly version: string;
  readonly pid: number;
  /** Ends the server and removes its data. */
  stop(): Promise<void>;
  /** Ends the server and starts it again on the same port and data, with `changes` to its options. */
  restart(changes?: DockerRegistryOptions): Promise<void>;
}

const maxPortAttempts = 5;
const readyWithinMs = 20_000;
const stopWithinMs = 5_000;

/**
 * Starts Distribution 2.8, as Debian's package `docker-registry` brings it, with an empty data folder on a port
 * that the kernel chose. It ends with the process that started it, also when that is killed.
 */
export async function startDockerRegistry(options: DockerRegistryOptions = {}): Promise<RunningRegistry> {
  return await startDistributionProgram('docker-registry', options);
}

/** Starts Distribution 3 in the same way, as the interoperability suite builds it. */
export async function startDistribution3(options: DockerRegistryOptions = {}): Promise<RunningRegistry> {
  return await startDistributionProgram('distribution', options);
}

async function startDistributionProgram(
  name: 'docker-registry' | 'distribution',
  options: DockerRegistryOptions,
): Promise<RunningRegistry> {
  const program = findServer(name);
  if (program === undefined) throw new Error(`${name} is not here: guard the suite with describeWith`);
  return await startDistribution(program, options);
}

async function startDistribution(program: FoundServer, options: DockerRegistryOptions): Promise<RunningRegistry> {
  const folder = await mkdtemp(join(tmpdir(), 'waybill-registry-'));
  const secret = randomUUID();
  let current = options;
  let server = await startOnFreePort();

  async function startOnFreePort(): Promise<Server> {
    for (let attempt = 1; ; attempt += 1) {
      const port = await freePort();
      try {
        return await start(port);
      } catch (error) {
        if (attempt < maxPortAttempts && error instanceof PortTaken) continue;
        await rm(folder, { recursive: true, force: true });
        throw error;
      }
    }
  }

  async function start(port: number): Promise<Server> {
    const mark = randomUUID();
    const config = join(folder, 'config.yml');
    await writeFile(config, JSON.stringify(await configOf({ ...current, folder, port, secret, mark })));
    return await startServer({ path: program.path, config, port, isReady: () => answers(current, { port, mark }) });
  }

  return {
    get url() {
      return urlOf(current, server.port);
    },
    get port() {
      return server.port;
    },
    get pid() {
      return server.child.pid ?? -1;
    },
    dataDir: join(folder, 'data'),
    version: program.version,
    async stop() {
      await stopServer(server);
      await rm(folder, { recursive: true, force: true });
    },
    async restart(changes = {}) {
      await stopServer(server);
      current = { ...current, ...changes };
      server = await start(server.port);
    },
  };
}

interface Server {
  readonly child: ChildProcess;
  readonly port: number;
}

/** Another process was faster to take the port. */
class PortTaken extends Error {}

async function configOf(
  settings: DockerRegistryOptions & { readonly folder: string; readonly port: number; readonly secret: string; readonly mark: string },
): Promise<object> {
  const { folder } = settings;
  return {
    version: 0.1,
    log: { level: 'error', accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: join(folder, 'data') },
      delete: { enabled: settings.deleteEnabled ?? true },
      ...(settings.blobCache === true ? { cache: { blobdescriptor: 'inmemory' } } : {}),
      maintenance: { uploadpurging: { enabled: false }, readonly: { enabled: settings.readOnly ?? false } },
    },
    http: {
      addr: `127.0.0.1:${settings.port}`,
      secret: settings.secret, // without one, an upload session does not survive a restart
      headers: { 'X-Waybill-Test': [settings.mark] },
      ...(await tlsOf(settings)),
    },
    ...(settings.foreignUrls === undefined ? {} : { validation: { manifests: { urls: { allow: settings.foreignUrls } } } }),
    ...notificationsOf(settings),
    ...(await authOf(settings)),
  };
}

function notificationsOf({ notifications }: DockerRegistryOptions): object {
  if (notifications === undefined) return {};
  const headers = { Authorization: [notifications.authorization] };
  const endpoint = { name: 'spec', url: notifications.url, headers, timeout: '2s', threshold: 1, backoff: '100ms' };
  return { notifications: { endpoints: [endpoint] } };
}

async function tlsOf({ tls, folder }: DockerRegistryOptions & { readonly folder: string }): Promise<object> {
  if (tls === undefined) return {};
  const { cert, key } = tls.authority.issue({ names: ['127.0.0.1'] });
  const files = { certificate: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const clientcas = join(folder, 'ca.pem');
  await Promise.all([writeFile(files.certificate, cert), writeFile(files.key, key), writeFile(clientcas, tls.authority.ca)]);
  return { tls: { ...files, ...(tls.askClients === true ? { clientcas: [clientcas] } : {}) } };
}

async function authOf({ htpasswd, token, folder }: DockerRegistryOptions & { readonly folder: string }): Promise<object> {
  if (token !== undefined) {
    const rootcertbundle = join(folder, 'token-certificates.pem');
    await writeFile(rootcertbundle, token.certificates);
    const { realm, service, issuer } = token;
    return { auth: { token: { realm, service, issuer, rootcertbundle } } };
  }
  if (htpasswd === undefined) return {};
  const path = join(folder, 'htpasswd');
  // Distribution takes bcrypt only; 4 is the least cost it allows, and this guards nothing.
  await writeFile(path, `${htpasswd.username}:${await hash(htpasswd.password, 4)}\n`, { mode: 0o600 });
  return { auth: { htpasswd: { realm: 'waybill-test', path } } };
}

async function startServer(settings: {
  readonly path: string;
  readonly config: string;
  readonly port: number;
  isReady(): Promise<boolean>;
}): Promise<Server> {
  // The watcher holds the other end of a pipe of ours: when we are gone, it ends the server.
  const script = '(cat <&3 >/dev/null; kill $$) & exec "$0" serve "$1" 3<&-';
  const child = spawn('/bin/sh', ['-c', script, settings.path, settings.config], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    detached: true, // a process group of its own, so that server and watcher end together
    // Distribution 3 sends traces to a collector on this machine unless it is told not to.
    env: { ...process.env, OTEL_TRACES_EXPORTER: 'none' },
  });
  let log = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    log = (log + chunk.toString('utf8')).slice(-4096);
  });
  const server = { child, port: settings.port };

  const deadline = performance.now() + readyWithinMs;
  while (performance.now() < deadline) {
    if (hasEnded(child)) {
      signalGroup(child, 'SIGTERM');
      if (child.stderr !== null) await finished(child.stderr);
      if (log.includes('address already in use')) throw new PortTaken(log);
      throw new Error(`${settings.path} ended at once: ${log}`);
    }
    if (await settings.isReady()) return server;
    await delay(10);
  }
  await stopServer(server);
  throw new Error(`${settings.path} did not answer within ${readyWithinMs} ms: ${log}`);
}

/** Asks for the mark that this very server was given: on a lost port race, a stranger may answer. */
async function answers({ tls }: DockerRegistryOptions, { port, mark }: { readonly port: number; readonly mark: string }): Promise<boolean> {
  const address = { host: '127.0.0.1', port, path: '/v2/', agent: false, timeout: 2_000 } as const;
  const request = tls === undefined ? get(address) : getSecurely({ ...address, ca: tls.authority.ca, ...tls.authority.issue() });
  request.once('timeout', () => request.destroy());
  try {
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    answer.resume();
    return answer.headers['x-waybill-test'] === mark;
  } catch {
    return false;
  }
}

function urlOf({ tls }: DockerRegistryOptions, port: number): string {
  return `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
}

async function stopServer(server: Server): Promise<void> {
  const { child } = server;
  signalGroup(child, 'SIGTERM');
  if (!hasEnded(child)) {
    const forced = setTimeout(() => signalGroup(child, 'SIGKILL'), stopWithinMs);
    await once(child, 'exit');
    clearTimeout(forced);
  }
  for (const stream of child.stdio) stream?.destroy();
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('the kernel gave no port');
  return address.port;
}
