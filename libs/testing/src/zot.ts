import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type SupervisedProcess, superviseProcess } from '@waybill/embedded';
import { hash } from 'bcryptjs';
import type { DockerRegistryOptions, RunningRegistry } from './docker-registry.js';
import { findServer } from './needs.js';
import { onFreePort } from './on-free-port.js';
import { makeTestFolder } from './test-folder.js';

export type ZotOptions = Pick<DockerRegistryOptions, 'htpasswd' | 'token'>;

/**
 * Starts zot, as the interoperability suite builds it, with an empty data folder on loopback.
 * It ends with the process that started it.
 */
export async function startZot(options: ZotOptions = {}): Promise<Pick<RunningRegistry, 'url' | 'port' | 'version' | 'stop'>> {
  const program = findServer('zot');
  if (program === undefined) throw new Error('zot is not here: guard the suite with describeWith');
  const folder = await makeTestFolder('zot-');
  const { server, port } = await onFreePort((free) => start({ path: program.path, folder, options }, free));
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    version: program.version,
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Launch {
  readonly path: string;
  readonly folder: string;
  readonly options: ZotOptions;
}

async function start({ path, folder, options }: Launch, port: number): Promise<SupervisedProcess> {
  const config = join(folder, 'config.json');
  await writeFile(config, JSON.stringify(await configOf({ ...options, folder, port })));
  return await superviseProcess({
    name: 'zot',
    command: path,
    args: ['serve', config],
    env: { HOME: folder },
    logFile: join(folder, 'zot.log'),
    readyWhen: { answersAt: `http://127.0.0.1:${port}/v2/`, accept: ({ status }) => status === 200 || status === 401 },
    endsWith: 'watcher',
  });
}

async function configOf({ folder, port, ...options }: ZotOptions & { readonly folder: string; readonly port: number }): Promise<object> {
  const rootDirectory = join(folder, 'data');
  await mkdir(rootDirectory, { recursive: true });
  return {
    distSpecVersion: '1.1.1',
    // A collection in the background would take what a test has pushed and not tagged yet.
    storage: { rootDirectory, gc: false },
    http: {
      address: '127.0.0.1',
      port: String(port),
      // Of itself zot takes OCI's media types only.
      compat: ['docker2s2'],
      ...(await authOf(options, folder)),
    },
    log: { level: 'warn' },
  };
}

async function authOf({ htpasswd, token }: ZotOptions, folder: string): Promise<object> {
  if (token !== undefined) {
    const cert = join(folder, 'token-certificates.pem');
    await writeFile(cert, token.certificates);
    return { auth: { bearer: { realm: token.realm, service: token.service, cert } } };
  }
  if (htpasswd === undefined) return {};
  const path = join(folder, 'htpasswd');
  await writeFile(path, `${htpasswd.username}:${await hash(htpasswd.password, 4)}\n`, { mode: 0o600 });
  return { auth: { htpasswd: { path } } };
}
