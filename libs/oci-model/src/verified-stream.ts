import { Transform, type TransformCallback } from 'node:stream';
import { ContentError } from './content-error.js';
import { type Digest, hasherFor, hexOf } from './digest.js';

/**
 * Passes bytes through and fails when they are not the ones that were asked for.
 * The last chunk is held back until the hash is known, so nobody downstream can
 * complete with wrong content (DESIGN invariant 3).
 * Fails with ContentError `digest-mismatch` or `size-mismatch`.
 */
export class VerifiedStream extends Transform {
  readonly #expected: { readonly digest: Digest; readonly size: number };
  readonly #hash: ReturnType<typeof hasherFor>;
  #held: Buffer | undefined;
  #bytes = 0;

  constructor(expected: { readonly digest: Digest; readonly size: number }) {
    super();
    this.#expected = expected;
    this.#hash = hasherFor(expected.digest);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#bytes += chunk.byteLength;
    if (this.#bytes > this.#expected.size) {
      done(this.#mismatch('size-mismatch', `is longer than the ${this.#expected.size} bytes its descriptor says`));
      return;
    }
    // An empty chunk must not push the held one out: it may be the last with bytes in it.
    if (chunk.byteLength === 0) {
      done();
      return;
    }
    this.#hash.update(chunk);
    if (this.#held !== undefined) this.push(this.#held);
    this.#held = chunk;
    done();
  }

  override _flush(done: TransformCallback): void {
    if (this.#bytes < this.#expected.size) {
      done(this.#mismatch('size-mismatch', `ended after ${this.#bytes} of ${this.#expected.size} bytes`));
      return;
    }
    const actual = this.#hash.digest('hex');
    if (actual !== hexOf(this.#expected.digest)) {
      done(this.#mismatch('digest-mismatch', `hashes to ${actual}`));
      return;
    }
    if (this.#held !== undefined) this.push(this.#held);
    done();
  }

  #mismatch(code: 'digest-mismatch' | 'size-mismatch', what: string): ContentError {
    return new ContentError(`content of ${this.#expected.digest} ${what}`, {
      code,
      operation: 'read blob',
      details: { digest: this.#expected.digest },
    });
  }
}
