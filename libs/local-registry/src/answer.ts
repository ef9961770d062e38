import type { Readable } from 'node:stream';

type Headers = Readonly<Record<string, string | number>>;

/** What a request is answered with. A stream comes with its `content-length`; so does an answer to HEAD. */
export interface Answer {
  readonly status: number;
  readonly headers?: Headers;
  readonly body?: Buffer | Readable;
}

export function jsonAnswer(value: unknown, headers: Headers = {}): Answer {
  return { status: 200, headers: { 'content-type': 'application/json', ...headers }, body: Buffer.from(JSON.stringify(value)) };
}
