import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { answerJson, type Exchange } from './exchange.js';
import type { Fault, FaultRule } from './faults.js';
import { Refusal, sendRefusal } from './refusal.js';
import { type Route, routeOf } from './route.js';
import { getBlob, headBlob } from './routes/blobs.js';
import { listRepositories, listTags } from './routes/listings.js';
import { getManifest, putManifest } from './routes/manifests.js';
import { appendChunk, cancelUpload, finishUpload, startUpload, uploadStatus } from './routes/uploads.js';
import type { Storage } from './storage/storage.js';

type Handler<R> = (exchange: Exchange, route: R) => Promise<void>;
type Handlers = { readonly [Kind in Route['kind']]: Readonly<Record<string, Handler<Extract<Route, { kind: Kind }>>>> };

const handlers: Handlers = {
  base: { GET: baseOf, HEAD: baseOf },
  catalog: { GET: listRepositories },
  tags: { GET: listTags },
  manifest: { GET: getManifest, HEAD: getManifest, PUT: putManifest },
  blob: { GET: getBlob, HEAD: headBlob },
  uploads: { POST: startUpload },
  upload: { GET: uploadStatus, PATCH: appendChunk, PUT: finishUpload, DELETE: cancelUpload },
};

/** Works on requests, one at a time each; never rejects. */
export function requestHandler(storage: Storage, faultRule: FaultRule | undefined) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    response.setHeader('docker-distribution-api-version', 'registry/2.0');
    try {
      const [path = '', query] = (request.url ?? '').split('?', 2);
      const parsed = { request, response, path, query: new URLSearchParams(query), storage };
      await serve(parsed, faultRule);
    } catch (error) {
      request.resume(); // the client may still be sending; it reads the answer only after that
      sendRefusal(response, error instanceof Refusal ? error : failure(error));
    }
  };
}

async function serve(parsed: Omit<Exchange, 'fault'>, faultRule: FaultRule | undefined): Promise<void> {
  const route = routeOf(parsed.path);
  if (route === undefined) throw new Refusal('UNSUPPORTED', 'there is no such endpoint', { status: 404 });
  const method = parsed.request.method ?? '';
  const fault = faultRule?.({ method, path: parsed.path, query: parsed.query, route }) ?? {};
  await misbehave(fault);
  const byMethod: Readonly<Record<string, Handler<never>>> = handlers[route.kind];
  const handler = Object.hasOwn(byMethod, method) ? byMethod[method] : undefined;
  if (handler === undefined) {
    throw new Refusal('UNSUPPORTED', `${method} is not supported here`, { headers: { allow: Object.keys(byMethod).join(', ') } });
  }
  await handler({ ...parsed, fault }, route as never);
}

async function misbehave(fault: Fault): Promise<void> {
  if (fault.delayMs !== undefined) await delay(fault.delayMs);
  if (fault.status === undefined) return;
  const code = fault.status === 429 ? 'TOOMANYREQUESTS' : 'UNKNOWN';
  throw new Refusal(code, 'failed on purpose', { status: fault.status, headers: fault.headers ?? {} });
}

async function baseOf(exchange: Exchange): Promise<void> {
  answerJson(exchange, {});
}

/** Trouble of our own, most likely the disk's. The client learns its code; paths stay here. */
function failure(cause: unknown): Refusal {
  const code = (cause as NodeJS.ErrnoException).code ?? 'no code';
  return new Refusal('UNKNOWN', `the registry could not do this (${code})`, { cause });
}
