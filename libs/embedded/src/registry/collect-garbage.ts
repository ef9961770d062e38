import { statSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddedError, fromSystemError } from '../embedded-error.js';
import { runRecorded } from '../process/run-recorded.js';
import type { Launch } from './launch-registry.js';
import { storageBytes } from './storage-bytes.js';

/** What a collection gave back; sizes in bytes of the whole storage. */
export interface CollectedSpace {
  readonly bytesBefore: number;
  /** Of a dry run, what would be left. */
  readonly bytesAfter: number;
  /** Blobs and manifests that were removed, or would be. */
  readonly blobs: number;
  /** The last lines that the program printed. */
  readonly log: string;
}

export interface CollectGarbageOptions {
  /** Say what would be removed, and remove nothing: at most so much, for others may push meanwhile. */
  readonly isDryRun: boolean;
  readonly signal: AbortSignal;
}

/** Distribution 2.8 prints one such line for each. */
const eligible = /^blob eligible for deletion: ([a-z0-9]+):([a-f0-9]{64,128})$/;

/**
 * Removes what no manifest of the registry needs, with `docker-registry garbage-collect`. Nothing may write meanwhile:
 * Distribution takes blobs whose manifest is on its way for unneeded.
 *
 * `--delete-untagged` is never given: Distribution 2.8 takes the children of a tagged index for untagged and destroys them.
 * Broken off, it has removed some of what is not needed and nothing else.
 * Codes: `collection-failed`, `cancelled`, `stop-failed`, `disk-full`, `permission-denied`.
 */
export async function collectGarbage(what: Launch, { isDryRun, signal }: CollectGarbageOptions): Promise<CollectedSpace> {
  const { engine, folder, images, name } = what;
  const bytesBefore = await bytesOf(what, signal);
  if (!(await holdsContent(images))) return { bytesBefore, bytesAfter: bytesBefore, blobs: 0, log: '' };
  const found = new EligibleBlobs(join(images, root, 'blobs'));
  const { exitCode, tail } = await runRecorded({
    name: `the collection of ${name}`,
    command: engine.path,
    args: ['garbage-collect', ...(isDryRun ? ['--dry-run'] : []), folder.config],
    recordFile: folder.collector,
    onLine: (line) => found.take(line),
    signal,
  });
  if (exitCode !== 0) throw failed(name, tail);
  const bytesAfter = isDryRun ? bytesBefore - found.bytes : await bytesOf(what, signal);
  return { bytesBefore, bytesAfter, blobs: found.count, log: tail };
}

const root = 'docker/registry/v2';

/** Distribution 2.8 fails where nothing was pushed yet: there is nothing to enumerate. */
async function holdsContent(images: string): Promise<boolean> {
  const needed = ['repositories', 'blobs'].map((part) => access(join(images, root, part)));
  return (await Promise.allSettled(needed)).every(({ status }) => status === 'fulfilled');
}

async function bytesOf({ images, name }: Launch, signal: AbortSignal): Promise<number> {
  try {
    return await storageBytes(images, signal);
  } catch (cause) {
    if (signal.aborted) throw new EmbeddedError('the collection was stopped', { code: 'cancelled', operation: `collect ${name}`, cause });
    throw fromSystemError(cause, { operation: `measure the storage of ${name}`, path: images });
  }
}

/** Adds up as the lines come, so that their number takes no memory. */
class EligibleBlobs {
  count = 0;
  bytes = 0;
  readonly #blobs: string;

  constructor(blobs: string) {
    this.#blobs = blobs;
  }

  take(line: string): void {
    const [, algorithm, hex] = eligible.exec(line) ?? [];
    if (algorithm === undefined || hex === undefined) return;
    this.count += 1;
    this.bytes += statSync(join(this.#blobs, algorithm, hex.slice(0, 2), hex, 'data'), { throwIfNoEntry: false })?.size ?? 0;
  }
}

function failed(name: string, tail: string): EmbeddedError {
  return new EmbeddedError(`the collection of ${name} failed: nothing that is needed was removed; read its last lines\n${tail.trimEnd()}`, {
    code: 'collection-failed',
    operation: `collect ${name}`,
  });
}
