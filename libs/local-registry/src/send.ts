import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Answer } from './answer.js';
import type { Fault } from './faults/fault.js';
import { corrupting, interrupting } from './faults/streams.js';

export interface SendOptions {
  /** What goes wrong with this answer on purpose. */
  readonly fault: Fault;
  /** Ends answers that were stalled on purpose. */
  readonly stopping: AbortSignal;
}

/** Resolves when the answer is on its way; rejects when the client left before that. */
export async function send(response: ServerResponse, answer: Answer, { fault, stopping }: SendOptions): Promise<void> {
  response.writeHead(answer.status, headersOf(answer, fault));
  const body = response.req.method === 'HEAD' ? undefined : answer.body;
  const stages = body === undefined ? [] : stagesOf(fault, response);
  if (body === undefined || (Buffer.isBuffer(body) && stages.length === 0)) {
    response.end(body);
    return;
  }
  const content = Buffer.isBuffer(body) ? Readable.from([body]) : body;
  await pipeline([content, ...stages, response], { signal: stopping });
}

function headersOf({ status, headers, body }: Answer, fault: Fault): Record<string, string | number> {
  const length = Buffer.isBuffer(body) ? body.byteLength : 0;
  // An answer without content says no length (RFC 9110, section 8.6).
  const all: Record<string, string | number> = { ...(status === 204 ? {} : { 'content-length': length }), ...headers };
  for (const [name, value] of Object.entries(fault.headers ?? {})) {
    if (value === null) Reflect.deleteProperty(all, name.toLowerCase());
    else all[name.toLowerCase()] = value;
  }
  return all;
}

function stagesOf({ corrupt, interrupt }: Fault, response: ServerResponse) {
  const { socket } = response;
  return [
    ...(corrupt === true ? [corrupting()] : []),
    ...(interrupt?.of === 'answer' && socket !== null ? [interrupting(interrupt, socket)] : []),
  ];
}
