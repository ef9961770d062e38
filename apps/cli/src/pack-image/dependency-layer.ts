import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { LayerEntry } from '@waybill/oci-layout';
import { isNeededOfPackage, isTypesOnly } from './ballast.js';
import { PackError } from './pack-error.js';
import { packageName } from './production-packages.js';
import { walkFiles } from './walk-files.js';

/**
 * The installed packages, at the paths that they have beneath the repository's root.
 * @throws PackError `dependency-missing`
 */
export async function* dependencyEntries(root: string, home: string, packages: readonly string[]): AsyncGenerator<LayerEntry> {
  for (const path of packages) {
    const name = packageName(path);
    if (isTypesOnly(name)) continue;
    await refuseMissing(root, path);
    for await (const file of walkFiles(join(root, path), (inside) => isNeededOfPackage(name, inside))) {
      // Nothing in it is run by name, so no machine's file modes get into the image.
      yield { kind: 'file', path: `${home}/${path}/${file}`, source: join(root, path, file), executable: false };
    }
  }
}

async function refuseMissing(root: string, path: string): Promise<void> {
  try {
    await access(join(root, path, 'package.json'));
  } catch (cause) {
    throw new PackError('dependency-missing', `${path} is not installed: run npm install`, cause);
  }
}
