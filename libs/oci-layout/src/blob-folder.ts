import { open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline, type Readable, type Transform } from 'node:stream';
import { pipeline as run } from 'node:stream/promises';
import { algorithmOf, type BlobRef, ContentError, type Digest, hexOf, maxManifestBytes, VerifiedStream } from '@waybill/oci-model';
import { Meter } from './meter.js';
import { aborted, isMissing, refuseAborted, toContentError } from './storage-error.js';
import { writeWhole } from './whole-file.js';

const readChunkBytes = 256 * 1024;

/** The content of a layout: `blobs/<algorithm>/<hex>` (image-spec v1.1.1, image-layout.md "Blobs"). */
export class BlobFolder {
  readonly #layout: string;

  constructor(layout: string) {
    this.#layout = layout;
  }

  /** Its size in bytes as the disk has it; undefined when it is not here. */
  async sizeOf(digest: Digest): Promise<number | undefined> {
    try {
      return (await stat(this.#pathOf(digest))).size;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw toContentError(error, 'probe blob');
    }
  }

  /** Streams a blob, verified in flight. Rejects with `not-found`. */
  async read(blob: BlobRef, signal?: AbortSignal): Promise<Readable> {
    refuseAborted('read blob', signal);
    const file = await open(this.#pathOf(blob.digest)).catch((error: unknown) => {
      throw toContentError(error, 'read blob');
    });
    const verified = new VerifiedStream(blob);
    const stop = (): void => {
      if (signal !== undefined) verified.destroy(aborted('read blob', signal));
    };
    signal?.addEventListener('abort', stop, { once: true });
    // Whoever reads the verified stream gets the error from it.
    pipeline(file.createReadStream({ highWaterMark: readChunkBytes }), verified, () => signal?.removeEventListener('abort', stop));
    return verified;
  }

  /** The bytes of a manifest, unverified. Rejects with `not-found`, `manifest-too-large`. */
  async readManifestBytes(digest: Digest): Promise<Buffer> {
    const size = await this.sizeOf(digest);
    if (size !== undefined && size > maxManifestBytes) {
      throw new ContentError(`manifest ${digest} has ${size} bytes, more than the ${maxManifestBytes} allowed`, {
        code: 'manifest-too-large',
        operation: 'read manifest',
      });
    }
    try {
      return await readFile(this.#pathOf(digest));
    } catch (error) {
      throw toContentError(error, 'read manifest');
    }
  }

  /** Writes what must hash to `blob.digest`. Rejects with `digest-mismatch`, `size-mismatch`, `aborted` and what `content` errors with. */
  write(blob: BlobRef, content: Readable, signal?: AbortSignal): Promise<void> {
    return this.#store(content, { stage: new VerifiedStream(blob), digest: () => blob.digest }, signal);
  }

  /** Writes content whose digest is not known before, and tells it. */
  async add(content: Readable, signal?: AbortSignal): Promise<BlobRef> {
    const meter = new Meter();
    await this.#store(content, { stage: meter, digest: () => meter.digest }, signal);
    return { digest: meter.digest, size: meter.bytes };
  }

  async remove(digest: Digest): Promise<void> {
    try {
      await rm(this.#pathOf(digest), { force: true });
    } catch (error) {
      throw toContentError(error, 'remove blob');
    }
  }

  async #store(content: Readable, through: { readonly stage: Transform; digest(): Digest }, signal?: AbortSignal): Promise<void> {
    let writing: Promise<void> | undefined;
    const nameOf = (): string => this.#pathOf(through.digest());
    const write = (chunks: AsyncIterable<Buffer>): Promise<void> => (writing = writeWhole(this.#layout, chunks, nameOf));
    try {
      refuseAborted('push blob', signal);
      await run(content, through.stage, write, { signal });
    } catch (error) {
      content.destroy();
      // Node's pipeline (20) ends with the streams that a failed write closes, before the write has said why.
      const reason: unknown = await Promise.resolve(writing).then(
        () => error,
        (failure: unknown) => failure,
      );
      throw toContentError(reason, 'push blob', signal);
    }
  }

  #pathOf(digest: Digest): string {
    return join(this.#layout, 'blobs', algorithmOf(digest), hexOf(digest));
  }
}
