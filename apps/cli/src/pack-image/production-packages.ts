import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PackError } from './pack-error.js';

/** What the lock file says of one installed package; the part that we read. */
interface LockedPackage {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
  /** Set on a link: the workspace's folder. */
  readonly resolved?: string;
  readonly link?: boolean;
}

/** Installed packages by their path, as `packages` of package-lock.json (version 3) has them. */
export type LockedPackages = Readonly<Record<string, LockedPackage>>;

export interface ProductionPackages {
  /** Paths of workspaces, such as `apps/api`, sorted. */
  readonly workspaces: readonly string[];
  /** Paths of packages from a registry, such as `node_modules/zod`, sorted. */
  readonly packages: readonly string[];
  /** Links to the workspaces above, by path. */
  readonly links: ReadonlyMap<string, string>;
}

/** @throws PackError `lock-unreadable` */
export async function readLock(root: string): Promise<LockedPackages> {
  const path = join(root, 'package-lock.json');
  try {
    const lock = JSON.parse(await readFile(path, 'utf8')) as { lockfileVersion?: unknown; packages?: LockedPackages };
    if (lock.lockfileVersion !== 3 || lock.packages === undefined) throw new Error('it is not of version 3');
    return lock.packages;
  } catch (cause) {
    throw new PackError('lock-unreadable', `${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}

/**
 * Everything that the workspaces `from` need to run: their dependencies, the dependencies of those
 * and so on, found where Node would find them. Optional dependencies are left out, because what
 * they bring is native code for one machine that Waybill runs without.
 * @throws PackError `dependency-missing`
 */
export function productionPackages(locked: LockedPackages, from: readonly string[]): ProductionPackages {
  const seen = new Set<string>();
  const links = new Map<string, string>();
  const waiting = [...from];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    for (const name of requiredBy(locked, path)) {
      const found = findInstalled(locked, path, name);
      const target = locked[found]?.link === true ? (locked[found].resolved ?? '') : found;
      if (target !== found) links.set(found, target);
      waiting.push(target);
    }
  }
  const sorted = [...seen].sort();
  return { workspaces: sorted.filter(isWorkspace), packages: sorted.filter((path) => !isWorkspace(path)), links };
}

/** The package's name, of a path such as `node_modules/a/node_modules/@b/c`. */
export function packageName(path: string): string {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

function requiredBy(locked: LockedPackages, path: string): string[] {
  const entry = locked[path];
  if (entry === undefined) throw new PackError('dependency-missing', `${path} is not in package-lock.json: run npm install`);
  const peers = Object.keys(entry.peerDependencies ?? {}).filter((name) => entry.peerDependenciesMeta?.[name]?.optional !== true);
  return [...Object.keys(entry.dependencies ?? {}), ...peers];
}

/** Node looks in the `node_modules` of the package and of every folder above it. */
function findInstalled(locked: LockedPackages, from: string, name: string): string {
  for (let folder: string | undefined = from; folder !== undefined; folder = folderAbove(folder)) {
    const candidate = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (locked[candidate] !== undefined) return candidate;
  }
  throw new PackError('dependency-missing', `${from} needs ${name}, which package-lock.json does not have: run npm install`);
}

function folderAbove(folder: string): string | undefined {
  if (folder === '') return undefined;
  return folder.includes('/') ? folder.slice(0, folder.lastIndexOf('/')) : '';
}

function isWorkspace(path: string): boolean {
  return !path.includes('node_modules/');
}
