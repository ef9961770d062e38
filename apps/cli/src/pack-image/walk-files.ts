import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The files beneath `folder` for which `keep` says yes, as paths relative to it with `/` between names.
 * `keep` is asked about folders too, with a `/` at their end. Links are left out: npm packs none.
 */
export async function* walkFiles(folder: string, keep: (path: string) => boolean, prefix = ''): AsyncGenerator<string> {
  for (const entry of await readdir(join(folder, prefix), { withFileTypes: true })) {
    const path = `${prefix}${entry.name}`;
    if (entry.isFile() && keep(path)) yield path;
    if (entry.isDirectory() && keep(`${path}/`)) yield* walkFiles(folder, keep, `${path}/`);
  }
}
