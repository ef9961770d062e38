import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline, type Readable } from 'node:stream';
import type { Fault } from './faults.js';
import { cutAfter } from './faults.js';
import type { Storage } from './storage/storage.js';

/** One request and its answer, with what is needed to work on it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly storage: Storage;
  readonly fault: Fault;
}

/** The request's body. It errors when the client breaks off. */
export function bodyOf({ request, fault }: Exchange): Readable {
  if (fault.destroyAfterBytes === undefined) return request;
  const cut = cutAfter(fault.destroyAfterBytes, request.socket);
  pipeline(request, cut, () => undefined); // the reader of `cut` gets the error
  return cut;
}

/** Answers without a body. */
export function answer({ response }: Exchange, status: number, headers: Readonly<Record<string, string | number>>): void {
  response.writeHead(status, { 'content-length': 0, ...headers });
  response.end();
}

export function answerJson({ response }: Exchange, value: unknown, headers: Readonly<Record<string, string>> = {}): void {
  const body = JSON.stringify(value);
  response.writeHead(200, { ...headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
