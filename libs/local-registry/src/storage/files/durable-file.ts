import { randomUUID } from 'node:crypto';
import { access, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * A file appears whole or not at all, also when the power fails: written aside,
 * synced, then renamed, and the folder that got the new name is synced too.
 */
export async function writeDurably(path: string, bytes: string | Uint8Array, scratch: string): Promise<void> {
  const aside = join(scratch, randomUUID());
  const file = await open(aside, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await moveDurably(aside, path);
}

/** Gives a synced file its final name. */
export async function moveDurably(from: string, to: string): Promise<void> {
  await makeFolder(dirname(to));
  await rename(from, to);
  await syncFolder(dirname(to));
}

/** Removes a file for good; false when there was none. */
export async function removeDurably(path: string): Promise<boolean> {
  try {
    await rm(path);
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
  await syncFolder(dirname(path));
  return true;
}

/** The file's text, or undefined when there is no such file. */
export async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** The names in a folder; none when there is no such folder. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

export async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

export function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** Folders that are being made right now, by their paths. */
const underWay = new Map<string, Promise<void>>();

/**
 * Makes a folder, and those above it, for good: a new folder is lost with the power, and all in it, as long as the
 * folder above it is not synced. Whoever finds one there that somebody else is just making waits for that sync too.
 */
export async function makeFolder(path: string): Promise<void> {
  const making = underWay.get(path) ?? makeMissing(path).finally(() => underWay.delete(path));
  underWay.set(path, making);
  await making;
}

async function makeMissing(path: string): Promise<void> {
  const above = dirname(path);
  if (above === path || (await exists(path))) return;
  await makeFolder(above);
  await mkdir(path, { recursive: true });
  await syncFolder(above);
}

async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return; // Windows opens no folder for syncing
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
