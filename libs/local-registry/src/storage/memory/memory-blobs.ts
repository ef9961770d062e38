import { Readable } from 'node:stream';
import type { Digest } from '@waybill/oci-model';
import type { ByteRange } from '../../range.js';
import type { BlobStorage } from '../storage.js';
import type { Budget } from './budget.js';
import { lengthOf, type MemoryStaging } from './memory-staging.js';

interface Content {
  readonly chunks: readonly Buffer[];
  readonly size: number;
}

/** Blobs and manifests as the chunks in which they came. */
export class MemoryBlobs implements BlobStorage {
  readonly #budget: Budget;
  readonly #staging: MemoryStaging;
  readonly #contents = new Map<Digest, Content>();

  constructor(budget: Budget, staging: MemoryStaging) {
    this.#budget = budget;
    this.#staging = staging;
  }

  async sizeOf(digest: Digest): Promise<number | undefined> {
    return this.#contents.get(digest)?.size;
  }

  read(digest: Digest, range?: ByteRange): Readable {
    const { chunks, size } = this.#contents.get(digest) ?? { chunks: [], size: 0 };
    return Readable.from(slices(chunks, range ?? { start: 0, end: size - 1 }), { objectMode: false });
  }

  async readWhole(digest: Digest): Promise<Buffer> {
    return Buffer.concat(this.#contents.get(digest)?.chunks ?? []);
  }

  async commit(id: string, digest: Digest): Promise<void> {
    this.#keep(digest, this.#staging.take(id));
  }

  async write(bytes: Uint8Array, digest: Digest): Promise<void> {
    this.#budget.take(bytes.byteLength);
    this.#keep(digest, [Buffer.from(bytes)]);
  }

  #keep(digest: Digest, chunks: readonly Buffer[]): void {
    const size = lengthOf(chunks);
    if (this.#contents.has(digest)) this.#budget.give(size);
    else this.#contents.set(digest, { chunks, size });
  }
}

function* slices(chunks: readonly Buffer[], { start, end }: ByteRange): Generator<Buffer> {
  let offset = 0;
  for (const chunk of chunks) {
    const part = chunk.subarray(Math.max(0, start - offset), Math.max(0, end + 1 - offset));
    if (part.byteLength > 0) yield part;
    offset += chunk.byteLength;
    if (offset > end) return;
  }
}
