import { createHash } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import type { Digest } from '@waybill/oci-model';

/** Passes bytes through and tells their SHA-256 digest and count once all have passed. */
export class Meter extends Transform {
  readonly #hash = createHash('sha256');
  readonly #onBytes: ((bytes: number) => void) | undefined;
  #digest: Digest | undefined;
  #bytes = 0;

  /** `onBytes` is told the count whenever it has grown. */
  constructor(onBytes?: (bytes: number) => void) {
    super();
    this.#onBytes = onBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Ends the measurement. */
  get digest(): Digest {
    this.#digest ??= `sha256:${this.#hash.digest('hex')}` as Digest;
    return this.#digest;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#hash.update(chunk);
    this.#bytes += chunk.byteLength;
    this.#onBytes?.(this.#bytes);
    done(null, chunk);
  }
}
