import { Transform, type TransformCallback } from 'node:stream';
import { type BlobRef, ContentError } from '@waybill/oci-model';

/**
 * The bytes of an upload on their way out. The last chunk is held back until the content has ended
 * well, so that no request completes whose source broke at its end, or held too much or too little.
 * Their hash is not computed here: the registry does that, and a reader already did.
 */
export class UploadBody extends Transform {
  readonly #blob: BlobRef;
  #held: Buffer | undefined;
  #taken = 0;
  #passed = 0;

  constructor(blob: BlobRef) {
    super();
    this.#blob = blob;
  }

  /** How many bytes the request will have. */
  get length(): number {
    return this.#blob.size;
  }

  /** How many bytes were given out so far. */
  get passed(): number {
    return this.#passed;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#taken += chunk.byteLength;
    if (this.#taken > this.length) {
      done(this.#wrongSize(`is longer than the ${this.length} bytes its descriptor says`));
      return;
    }
    this.#release();
    this.#held = chunk;
    done();
  }

  override _flush(done: TransformCallback): void {
    if (this.#taken < this.length) {
      done(this.#wrongSize(`ended after ${this.#taken} of ${this.length} bytes`));
      return;
    }
    this.#release();
    done();
  }

  #release(): void {
    if (this.#held === undefined) return;
    this.#passed += this.#held.byteLength;
    this.push(this.#held);
    this.#held = undefined;
  }

  #wrongSize(what: string): ContentError {
    return new ContentError(`content of ${this.#blob.digest} ${what}`, {
      code: 'size-mismatch',
      operation: 'push blob',
      details: { digest: this.#blob.digest },
    });
  }
}
