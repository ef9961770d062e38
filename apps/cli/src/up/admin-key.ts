import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { issueApiKey, readApiKey } from '@waybill/access';
import { uuidV7 } from '@waybill/kernel';

export interface AdminKey {
  readonly text: string;
  readonly file: string;
  /** Made just now: shown once. */
  readonly isNew: boolean;
}

/** The administrator's key of a data folder: made at the first start, kept readable by its owner only. */
export async function adminKey(dataDir: string): Promise<AdminKey> {
  const file = join(dataDir, 'admin.key');
  const kept = await readKept(file);
  if (kept !== undefined && readApiKey(kept) !== undefined) return { text: kept, file, isNew: false };
  const { text } = issueApiKey(uuidV7.next());
  await writeFile(file, `${text}\n`, { mode: 0o600 });
  await chmod(file, 0o600);
  return { text, file, isNew: true };
}

async function readKept(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
