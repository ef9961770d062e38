import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { algorithmOf, type Digest, hexOf } from '@waybill/oci-model';
import type { ByteRange } from '../../range.js';
import type { BlobStorage } from '../storage.js';
import { isMissing, moveDurably, writeDurably } from './durable-file.js';
import type { FileStaging } from './file-staging.js';

/** Big enough that a stream spends its time on bytes, not on calls. */
const readChunkBytes = 256 * 1024;

export interface FileBlobsOptions {
  readonly root: string;
  /** A folder of the same file system, for files that are not whole yet. */
  readonly scratch: string;
  readonly staging: FileStaging;
}

/** Blobs and manifests in files named by their digest. */
export class FileBlobs implements BlobStorage {
  readonly #options: FileBlobsOptions;

  constructor(options: FileBlobsOptions) {
    this.#options = options;
  }

  async sizeOf(digest: Digest): Promise<number | undefined> {
    try {
      return (await stat(this.#pathOf(digest))).size;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  read(digest: Digest, range?: ByteRange): Readable {
    return createReadStream(this.#pathOf(digest), { ...range, highWaterMark: readChunkBytes });
  }

  readWhole(digest: Digest): Promise<Buffer> {
    return readFile(this.#pathOf(digest));
  }

  commit(id: string, digest: Digest): Promise<void> {
    return moveDurably(this.#options.staging.pathOf(id), this.#pathOf(digest));
  }

  write(bytes: Uint8Array, digest: Digest): Promise<void> {
    return writeDurably(this.#pathOf(digest), bytes, this.#options.scratch);
  }

  #pathOf(digest: Digest): string {
    const hex = hexOf(digest);
    return join(this.#options.root, algorithmOf(digest), hex.slice(0, 2), hex);
  }
}
