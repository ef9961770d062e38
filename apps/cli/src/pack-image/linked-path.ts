import { lstat, readlink } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { LayerEntry } from '@waybill/oci-layout';

const maxLinks = 40; // what Linux follows in one path

/**
 * A file and every symlink on the way to it, so that it is found in the image under the same path.
 * On systems where `/lib` is a link to `usr/lib`, for instance, a library's path needs that link too.
 */
export async function entriesOnPath(path: string): Promise<readonly LayerEntry[]> {
  const links: LayerEntry[] = [];
  let real = '/';
  let names = namesIn(path);
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    const next = resolve(real, name);
    if (!(await lstat(next)).isSymbolicLink()) {
      real = next;
      continue;
    }
    const target = await readlink(next);
    if (links.length >= maxLinks) throw new Error(`too many links on the way to ${path}`);
    links.push({ kind: 'symlink', path: next.slice(1), target });
    names = [...namesIn(resolve(dirname(next), target)), ...names];
    real = '/';
  }
  return [...links, { kind: 'file', path: real.slice(1), source: real, executable: true }];
}

function namesIn(path: string): string[] {
  return path.split('/').filter((name) => name !== '');
}
