import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { EmbeddedError } from '../embedded-error.js';
import { findProgram } from '../process/find-program.js';
import { runProgram } from '../process/run-program.js';
import type { RegistryEngine } from './registry-folder.js';

/** The program that will serve a registry. */
export interface FoundEngine {
  readonly engine: RegistryEngine;
  /** The executable of docker-registry, the entry point of ours. */
  readonly path: string;
  readonly version: string;
}

export interface FindEngineOptions {
  /** `auto` takes the engine that holds the images already, else docker-registry when it is installed. */
  readonly wanted: RegistryEngine | 'auto';
  readonly remembered?: RegistryEngine | undefined;
  /** The entry point of ours when it is not the built one. For tests. */
  readonly localRegistryMain?: string | undefined;
  /** Where docker-registry is looked for when not on the PATH. For tests. */
  readonly searchPath?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Finds the program. Code: `binaries-missing` when docker-registry is asked for, or holds the images, and is not installed. */
export async function findEngine({ wanted, remembered, localRegistryMain, ...search }: FindEngineOptions): Promise<FoundEngine> {
  const choice = wanted === 'auto' ? remembered : wanted;
  if (choice !== 'local-registry') {
    const installed = await findDockerRegistry(search);
    if (installed !== undefined) return installed;
    if (choice === 'docker-registry') throw notInstalled(wanted === 'auto');
  }
  const path = localRegistryMain ?? join(dirname(createRequire(import.meta.url).resolve('@waybill/local-registry')), 'main.js');
  return { engine: 'local-registry', path, version: 'built-in' };
}

async function findDockerRegistry({
  searchPath,
  signal,
}: Pick<FindEngineOptions, 'searchPath' | 'signal'>): Promise<FoundEngine | undefined> {
  const path = await findProgram('docker-registry', searchPath);
  if (path === undefined) return undefined;
  const { stdout } = await runProgram({ command: path, args: ['--version'] }, signal);
  const version = /\d+\.\d+\.\d+\S*/.exec(stdout)?.[0];
  return version === undefined ? undefined : { engine: 'docker-registry', path, version };
}

function notInstalled(holdsImages: boolean): EmbeddedError {
  const reason = holdsImages
    ? 'the images of this registry were stored by docker-registry, which is not installed any more'
    : 'docker-registry is not installed';
  const wayOut = holdsImages
    ? 'install it again, or move the folder away to begin with an empty registry'
    : 'install it, or use the built-in registry';
  return new EmbeddedError(`${reason}: ${wayOut}`, { code: 'binaries-missing', operation: 'find a registry' });
}
