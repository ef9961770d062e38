import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { algorithmOf, type Digest, hexOf } from '@waybill/oci-model';
import type { ByteRange } from '../range.js';
import { isMissing, moveDurably, writeDurably } from './durable-file.js';

/** Big enough that a stream spends its time on bytes, not on calls. */
const readChunkBytes = 256 * 1024;

/**
 * All content of the registry, each once, named by its digest. What a repository may
 * see of it is said by the links in `Repositories`, never here.
 */
export class BlobFiles {
  readonly #root: string;
  readonly #scratch: string;

  constructor(root: string, scratch: string) {
    this.#root = root;
    this.#scratch = scratch;
  }

  /** Its size in bytes, or undefined when it is not here. */
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

  /** For content with a known small bound: manifests. */
  readWhole(digest: Digest): Promise<Buffer> {
    return readFile(this.#pathOf(digest));
  }

  /** Takes over a synced file whose hash was checked. */
  commit(file: string, digest: Digest): Promise<void> {
    return moveDurably(file, this.#pathOf(digest));
  }

  /** Writes bytes whose hash was checked. */
  write(bytes: Uint8Array, digest: Digest): Promise<void> {
    return writeDurably(this.#pathOf(digest), bytes, this.#scratch);
  }

  #pathOf(digest: Digest): string {
    const hex = hexOf(digest);
    return join(this.#root, algorithmOf(digest), hex.slice(0, 2), hex);
  }
}
