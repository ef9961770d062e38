import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Storage } from '../storage.js';
import { makeFolder } from './durable-file.js';
import { FileBlobs } from './file-blobs.js';
import { FileRepositories } from './file-repositories.js';
import { FileStaging } from './file-staging.js';

/**
 * Opens `folder`, makes it when it is missing, finishes the removals that an interrupted process had begun
 * and forgets what it left half done. One process at a time may use the folder.
 */
export async function openFiles(folder: string): Promise<Storage> {
  const scratch = await emptyFolder(join(folder, 'scratch'));
  const staging = new FileStaging(await emptyFolder(join(folder, 'uploads')));
  const repositories = new FileRepositories({ root: join(folder, 'repositories'), scratch, journal: join(folder, 'removals') });
  await repositories.recover();
  return { blobs: new FileBlobs({ root: join(folder, 'blobs'), scratch, staging }), repositories, staging };
}

async function emptyFolder(path: string): Promise<string> {
  await rm(path, { recursive: true, force: true });
  await makeFolder(path);
  return path;
}
