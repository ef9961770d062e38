import { chmod, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { issueApiKey, readApiKey } from '@waybill/access';
import { uuidV7, WaybillError } from '@waybill/kernel';
import { systemCodeOf } from '../system-error.js';

/** The file of the administrator's key cannot be used. */
export class AdminKeyError extends WaybillError<'key-unreadable'> {}

export interface AdminKey {
  readonly text: string;
  readonly file: string;
  /** Made just now: shown once. */
  readonly isNew: boolean;
}

/**
 * The administrator's key of a data folder: made at the first start, kept readable by its owner only.
 * A file that holds something else is left alone: somebody may want it back. @throws AdminKeyError
 */
export async function adminKey(dataDir: string): Promise<AdminKey> {
  const file = join(dataDir, 'admin.key');
  const kept = await readKept(file);
  if (kept === undefined) return { text: await makeKey(file), file, isNew: true };
  if (readApiKey(kept) === undefined) {
    throw new AdminKeyError(`${file} holds no administrator's key: put the key back, or remove the file to have a new one made`, {
      code: 'key-unreadable',
      operation: 'read admin key',
    });
  }
  await chmod(file, 0o600);
  return { text: kept, file, isNew: false };
}

/** The file appears whole: a half-written key would lock everybody out. */
async function makeKey(file: string): Promise<string> {
  const { text } = issueApiKey(uuidV7.next());
  const draft = `${file}.new`;
  await writeFile(draft, `${text}\n`, { mode: 0o600, flush: true });
  await chmod(draft, 0o600);
  await rename(draft, file);
  return text;
}

async function readKept(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
