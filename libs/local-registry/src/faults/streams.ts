import type { Socket } from 'node:net';
import { Transform, type TransformCallback } from 'node:stream';
import type { Interruption } from './fault.js';

/** Passes so many bytes, and then no more: the connection is broken, or left as it is. */
export function interrupting({ afterBytes, by }: Interruption, socket: Socket): Transform {
  let left = afterBytes;
  return new Transform({
    transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback) {
      if (chunk.byteLength < left) {
        left -= chunk.byteLength;
        done(null, chunk);
        return;
      }
      if (left > 0) this.push(chunk.subarray(0, left));
      left = 0;
      // Without `done` nothing moves any more; whoever reads waits until the connection ends.
      if (by === 'stall') return;
      // What was passed on must reach the wire first, or "after so many bytes" would mean "at once".
      setImmediate(() => {
        if (by === 'reset') socket.resetAndDestroy();
        else socket.destroySoon();
      });
    },
  });
}

/** Changes the first byte. */
export function corrupting(): Transform {
  let isFirst = true;
  return new Transform({
    transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback) {
      if (!isFirst || chunk.byteLength === 0) {
        done(null, chunk);
        return;
      }
      isFirst = false;
      const wrong = Buffer.from(chunk);
      wrong[0] = (wrong[0] ?? 0) ^ 0xff;
      done(null, wrong);
    },
  });
}
