import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { superviseProcess } from '@waybill/embedded';
import type { RunningRegistry } from './docker-registry.js';
import { findServer } from './needs.js';
import { onFreePort } from './on-free-port.js';
import { makeTestFolder } from './test-folder.js';

/**
 * Starts go-containerregistry's own registry (`crane registry serve`), empty, on loopback and open to everyone:
 * it knows no users. Its repositories share their blobs. It ends with the process that started it.
 */
export async function startCraneRegistry(): Promise<Pick<RunningRegistry, 'url' | 'port' | 'version' | 'stop'>> {
  const program = findServer('crane');
  if (program === undefined) throw new Error('crane is not here: guard the suite with describeWith');
  const folder = await makeTestFolder('crane-registry-');
  const data = join(folder, 'data');
  await mkdir(data);
  const { server, port } = await onFreePort((free) =>
    superviseProcess({
      name: 'crane registry',
      command: program.path,
      args: ['registry', 'serve', `--address=127.0.0.1:${free}`, `--disk=${data}`],
      env: { HOME: folder },
      logFile: join(folder, 'registry.log'),
      readyWhen: { answersAt: `http://127.0.0.1:${free}/v2/`, accept: ({ status }) => status === 200 },
      endsWith: 'watcher',
    }),
  );
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
