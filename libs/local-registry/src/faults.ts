import type { Socket } from 'node:net';
import { Transform, type TransformCallback } from 'node:stream';
import type { Route } from './route.js';

/** A request as a fault rule sees it. */
export interface RequestFacts {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly route: Route;
}

/** What goes wrong on purpose. Several may be combined. */
export interface Fault {
  /** Answer with this status instead of doing anything. */
  readonly status?: number;
  /** Sent with `status`, for instance `retry-after`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Serve blob content with its first byte changed. */
  readonly corruptBlob?: boolean;
  /** Wait before doing anything, in milliseconds. */
  readonly delayMs?: number;
  /** Break the connection after so many bytes of the request's body, or else of the blob that is served. */
  readonly destroyAfterBytes?: number;
}

/** Decides for each request, before it is worked on, whether something goes wrong with it. */
export type FaultRule = (request: RequestFacts) => Fault | undefined;

/** Passes `bytes` bytes, then breaks the connection. */
export function cutAfter(bytes: number, socket: Socket): Transform {
  let left = bytes;
  return new Transform({
    transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback) {
      if (chunk.byteLength < left) {
        left -= chunk.byteLength;
        done(null, chunk);
        return;
      }
      this.push(chunk.subarray(0, left));
      // What was passed on must reach the wire first, or "after so many bytes" would mean "at once".
      setImmediate(() => {
        socket.destroy();
        done(new Error('connection broken on purpose'));
      });
    },
  });
}

/** Changes the first byte. */
export function corrupted(): Transform {
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
