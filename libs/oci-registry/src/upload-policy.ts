import type { RegistryClientOptions } from './options.js';

/** How blobs go to a registry: all of one in one request, or in several. */
export type UploadMode = 'monolithic' | 'chunked';

const defaultChunkBytes = 8 * 1024 * 1024;

/**
 * How the blobs of one registry are sent. Monolithic unless told, as that is faster nearly everywhere. A registry, or
 * a proxy before it, that refuses a blob for its size gets chunks from then on: the stream of the refused one is
 * gone, so whoever pushed it has to try again, and succeeds.
 */
export class UploadPolicy {
  /** What a chunk has, in bytes, unless the registry asks for more; each upload holds one in memory. */
  readonly chunkBytes: number;
  readonly #mayChunk: boolean;
  #mode: UploadMode;

  constructor({ uploads = 'monolithic', chunkBytes = defaultChunkBytes, capabilities }: Omit<RegistryClientOptions, 'origin'>) {
    this.chunkBytes = chunkBytes;
    this.#mayChunk = capabilities?.chunkedUpload !== false;
    this.#mode = this.#mayChunk ? uploads : 'monolithic';
  }

  get mode(): UploadMode {
    return this.#mode;
  }

  /** A blob was refused that went in one request. Is it worth trying again, in chunks? */
  tooLarge(): boolean {
    if (this.#mayChunk) this.#mode = 'chunked';
    return this.#mayChunk;
  }
}
