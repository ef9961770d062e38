import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import type { EmbeddedError } from '../embedded-error.js';
import type { ReadyWhen } from '../process/readiness.js';
import { type SupervisedProcess, superviseProcess } from '../process/supervise-process.js';
import { dockerRegistryConfig, instanceHeader, type NotificationEndpoint } from './docker-registry-config.js';
import type { FoundEngine } from './registry-engine.js';
import type { RegistryFolder } from './registry-folder.js';

/** What is served, and where. */
export interface Launch {
  /** The registry's name in the topology. */
  readonly name: string;
  readonly engine: FoundEngine;
  readonly folder: RegistryFolder;
  readonly images: string;
  readonly port: number;
  readonly secret: string;
  /** Only docker-registry tells anything. */
  readonly notifications?: NotificationEndpoint | undefined;
}

export interface LaunchOptions {
  /** Only docker-registry can. */
  readonly isReadOnly?: boolean;
  readonly onUnexpectedExit?: ((error: EmbeddedError) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Starts the registry's program and waits until it answers. Codes: those of `superviseProcess`. */
export async function launchRegistry(what: Launch, { isReadOnly = false, ...options }: LaunchOptions): Promise<SupervisedProcess> {
  return superviseProcess({
    ...(await programOf(what, isReadOnly)),
    name: `the registry ${what.name}`,
    logFile: what.folder.log,
    ...options,
  });
}

interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly endsWith: 'stdin' | 'watcher';
  readonly readyWhen: ReadyWhen;
}

async function programOf({ engine, folder, images, port, secret, notifications }: Launch, isReadOnly: boolean): Promise<Program> {
  if (engine.engine === 'local-registry') {
    return {
      command: process.execPath,
      args: [engine.path, '--data', images, '--port', String(port), '--exit-with-stdin'],
      endsWith: 'stdin',
      readyWhen: { line: (line) => line.startsWith('{"url":') },
    };
  }
  const instance = randomBytes(8).toString('hex');
  const config = dockerRegistryConfig({ dataFolder: images, port, secret, instance, isReadOnly, notifications });
  await writeFile(folder.config, config, { mode: 0o600 });
  return {
    command: engine.path,
    args: ['serve', folder.config],
    endsWith: 'watcher',
    readyWhen: {
      answersAt: `http://127.0.0.1:${port}/v2/`,
      accept: (response) => response.status === 200 && response.headers.get(instanceHeader) === instance,
    },
  };
}
