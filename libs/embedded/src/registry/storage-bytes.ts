import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCodeOf } from '../process/system-error.js';

/** The sizes of all files of a folder together, in bytes, as they are read and not as a disk rounds them. One that is absent holds nothing. */
export async function storageBytes(folder: string, signal: AbortSignal): Promise<number> {
  let bytes = 0;
  const folders = [folder];
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    signal.throwIfAborted();
    for await (const entry of await entriesOf(next)) {
      const path = join(next, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else bytes += await fileBytes(path);
    }
  }
  return bytes;
}

/** Of a file that is absent 0. */
async function fileBytes(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return 0;
    throw error;
  }
}

type Entries = AsyncIterable<{ readonly name: string; isDirectory(): boolean }> | readonly [];

async function entriesOf(folder: string): Promise<Entries> {
  try {
    return await opendir(folder);
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return [];
    throw error;
  }
}
