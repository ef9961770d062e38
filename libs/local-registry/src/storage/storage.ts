import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest, RepositoryName } from '@waybill/oci-model';
import { BlobFiles } from './blob-files.js';
import { Repositories } from './repositories.js';
import { type UploadLimits, Uploads } from './uploads.js';

/** Everything that the registry keeps, on files. What was answered with success survives a restart and a crash. */
export interface Storage {
  readonly blobs: BlobFiles;
  readonly repositories: Repositories;
  readonly uploads: Uploads;
}

/** Opens `folder`, makes it when it is missing, and removes what an interrupted process left half done. */
export async function openStorage(folder: string, limits: UploadLimits): Promise<Storage> {
  const scratch = join(folder, 'scratch');
  await rm(scratch, { recursive: true, force: true });
  await mkdir(scratch, { recursive: true });
  const uploads = new Uploads(join(folder, 'uploads'), limits);
  await uploads.reset();
  return {
    blobs: new BlobFiles(join(folder, 'blobs'), scratch),
    repositories: new Repositories(join(folder, 'repositories'), scratch),
    uploads,
  };
}

/** The size of a blob that the repository may see, or undefined. */
export async function sizeOfBlob(storage: Storage, repository: RepositoryName, digest: Digest): Promise<number | undefined> {
  if (!(await storage.repositories.hasBlob(repository, digest))) return undefined;
  return storage.blobs.sizeOf(digest);
}

export async function holdsManifest(storage: Storage, repository: RepositoryName, digest: Digest): Promise<boolean> {
  if ((await storage.repositories.manifestType(repository, digest)) === undefined) return false;
  return (await storage.blobs.sizeOf(digest)) !== undefined;
}
