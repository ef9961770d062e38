import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Where files are written before they get their names. On the same file system as the layout, and no part of it. */
export const scratchFolder = '.scratch';

/**
 * Writes `content` aside, syncs it and gives it the name that `nameOf` says when all is written.
 * A reader sees the old file or the new one, never a part; what fails leaves nothing.
 */
export async function writeWhole(
  layout: string,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  nameOf: () => string,
): Promise<void> {
  const scratch = join(layout, scratchFolder);
  await mkdir(scratch, { recursive: true });
  const aside = join(scratch, randomUUID());
  try {
    const file = await open(aside, 'wx', 0o644);
    try {
      for await (const chunk of content) await file.appendFile(chunk);
      await file.sync();
    } finally {
      await file.close();
    }
    const path = nameOf();
    await mkdir(dirname(path), { recursive: true });
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
}
