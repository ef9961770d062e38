import type { Readable } from 'node:stream';
import type { UploadBody } from './upload-body.js';

/** A part of a blob, held so that it can be sent again. */
export interface Chunk {
  /** Where it begins in the blob. */
  readonly start: number;
  readonly bytes: Buffer;
}

/** Cuts what is uploaded into pieces of `size` bytes, the last one shorter. Holds one at a time. Rejects with the content's own error. */
export async function* chunksOf(content: UploadBody, size: number): AsyncGenerator<Chunk> {
  let start = 0;
  let filled = 0;
  let chunk = Buffer.alloc(0);
  for await (const piece of content as Readable & AsyncIterable<Buffer>) {
    for (let taken = 0; taken < piece.byteLength;) {
      // Each gets memory of its own: a request may outlive its answer.
      if (filled === 0) chunk = Buffer.allocUnsafe(Math.min(size, content.length - start));
      const copied = piece.copy(chunk, filled, taken);
      taken += copied;
      filled += copied;
      if (filled < chunk.byteLength) continue;
      yield { start, bytes: chunk };
      start += filled;
      filled = 0;
    }
  }
}
