import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { EmbeddedError, findFreePort, type SupervisedProcess, superviseProcess } from '@waybill/embedded';
import { findServer } from './needs.js';
import { makeTestFolder } from './test-folder.js';

/** Redis, as Debian's package `redis-server` brings it, on loopback; it ends with the process that started it. */
export interface RunningRedis {
  /** `redis://127.0.0.1:<port>` */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly version: string;
  /** Ends the server and starts it again on the same port; what was written stays (append-only file). */
  restart(): Promise<void>;
  /** Forgets every key. */
  flush(): Promise<void>;
  /** Ends the server and removes its data. */
  stop(): Promise<void>;
}

const portTries = 5;

/** Starts a server of its own with an empty data folder. Throws when none is installed: see `describeWith`. */
export async function startRedis(): Promise<RunningRedis> {
  const program = findServer('redis-server');
  if (program === undefined) throw new Error('redis-server is not on the PATH');
  const folder = await makeTestFolder('redis-');
  const first = await startOnFreePort(program.path, folder);
  const { port } = first;
  let server = first.server;
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return server.pid;
    },
    version: program.version,
    restart: async () => {
      await server.stop();
      server = await launch({ path: program.path, folder, port });
    },
    flush: () => flushAll(port),
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Launch {
  readonly path: string;
  readonly folder: string;
  readonly port: number;
}

async function startOnFreePort(path: string, folder: string): Promise<{ server: SupervisedProcess; port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await findFreePort();
    try {
      return { server: await launch({ path, folder, port }), port };
    } catch (error) {
      const isLostRace = error instanceof EmbeddedError && error.code === 'port-unavailable';
      if (!isLostRace || attempt === portTries) throw error;
    }
  }
}

function launch({ path, folder, port }: Launch): Promise<SupervisedProcess> {
  const settings = { bind: '127.0.0.1', port, dir: folder, save: '', appendonly: 'yes', 'maxmemory-policy': 'noeviction' };
  return superviseProcess({
    name: 'redis-server',
    command: path,
    args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
    logFile: join(folder, 'redis.log'),
    readyWhen: { line: (line) => line.includes('Ready to accept connections') },
    endsWith: 'watcher',
  });
}

async function flushAll(port: number): Promise<void> {
  const answer = await askRedis(port, 'FLUSHALL');
  if (answer !== '+OK') throw new Error(`redis-server refused to forget its keys: ${answer}`);
}

/** Sends one inline command of Redis' own protocol (RESP 2) and gives the answer's text, so that no client library is needed. */
export function askRedis(port: number, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port }, () => socket.write(`${command}\r\n`));
    socket.once('error', reject).once('data', (answer) => {
      socket.destroy();
      resolve(answer.toString('latin1').trim());
    });
  });
}
