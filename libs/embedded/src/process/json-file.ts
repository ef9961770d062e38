import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { systemCodeOf } from './system-error.js';

/**
 * Writes a small JSON file so that a reader sees the old or the new whole, whatever dies meanwhile.
 * The file is readable by its owner only.
 */
export async function writeJsonFile(path: string, value: unknown): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(`${JSON.stringify(value, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** What stands in a JSON file of ours. */
export type JsonFile = { readonly state: 'read'; readonly value: object } | { readonly state: 'absent' | 'damaged' };

/** Reads a JSON file that holds an object; anything else in it is damage, not an error. */
export async function readJsonFile(path: string): Promise<JsonFile> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    return typeof value === 'object' && value !== null ? { state: 'read', value } : { state: 'damaged' };
  } catch (error) {
    if (error instanceof SyntaxError) return { state: 'damaged' };
    if (systemCodeOf(error) === 'ENOENT') return { state: 'absent' };
    throw error;
  }
}
