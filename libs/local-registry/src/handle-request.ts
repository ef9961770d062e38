import type { IncomingMessage, ServerResponse } from 'node:http';
import { addAbortSignal, pipeline, type Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { type Access, permissionFor } from './access.js';
import { type Answer, jsonAnswer } from './answer.js';
import type { Exchange, RegistryParts } from './exchange.js';
import type { Fault, FaultRule, RequestFacts } from './faults/fault.js';
import { interrupting } from './faults/streams.js';
import { Refusal } from './refusal.js';
import { type Route, routeOf } from './route.js';
import { deleteBlob, getBlob, headBlob } from './routes/blobs.js';
import { listRepositories, listTags } from './routes/listings.js';
import { deleteManifest, getManifest, putManifest } from './routes/manifests.js';
import { listReferrers } from './routes/referrers.js';
import { appendChunk, cancelUpload, finishUpload, startUpload, uploadStatus } from './routes/uploads.js';
import { type SendOptions, send } from './send.js';
import { MemoryFull } from './storage/memory/budget.js';

type Handler<R> = (exchange: Exchange, route: R) => Promise<Answer>;
type Handlers = { readonly [Kind in Route['kind']]: Readonly<Record<string, Handler<Extract<Route, { kind: Kind }>>>> };

const handlers: Handlers = {
  base: { GET: baseOf, HEAD: baseOf },
  catalog: { GET: listRepositories },
  tags: { GET: listTags },
  manifest: { GET: getManifest, HEAD: getManifest, PUT: putManifest, DELETE: deleteManifest },
  referrers: { GET: listReferrers },
  blob: { GET: getBlob, HEAD: headBlob, DELETE: deleteBlob },
  uploads: { POST: startUpload },
  upload: { GET: uploadStatus, PATCH: appendChunk, PUT: finishUpload, DELETE: cancelUpload },
};

export interface RequestHandlerOptions {
  readonly parts: RegistryParts;
  readonly access: Access;
  /** What goes wrong on purpose. */
  readonly faultOf: FaultRule;
  /** Aborts when the registry closes: nothing is stalled on purpose any longer. */
  readonly stopping: AbortSignal;
}

/** Works on requests, one at a time each; never rejects. */
export function requestHandler(options: RequestHandlerOptions) {
  const { faultOf, stopping } = options;
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    response.setHeader('docker-distribution-api-version', 'registry/2.0');
    let fault: Fault = {};
    try {
      const facts = factsOf(request);
      fault = faultOf(facts) ?? {};
      await misbehave(fault, response, stopping);
      await send(response, await answerTo(facts, { request, fault, options }), { fault, stopping });
    } catch (error) {
      request.resume(); // the client may still be sending; it reads the answer only after that
      await refuse(error, response, { fault, stopping });
    }
  };
}

/** @throws Refusal */
function factsOf({ url = '', method = '' }: IncomingMessage): RequestFacts {
  const [path = '', query] = url.split('?', 2);
  const route = routeOf(path, method);
  if (route === undefined) throw new Refusal('UNSUPPORTED', 'there is no such endpoint', { status: 404 });
  return { method, path, query: new URLSearchParams(query), route };
}

interface AnswerOptions {
  readonly request: IncomingMessage;
  readonly fault: Fault;
  readonly options: RequestHandlerOptions;
}

async function answerTo({ method, path, query, route }: RequestFacts, { request, fault, options }: AnswerOptions): Promise<Answer> {
  if (fault.redirectTo !== undefined) return { status: 307, headers: { location: fault.redirectTo } };
  options.access.check(request.headers.authorization, permissionFor(method, route.kind));
  const byMethod: Readonly<Record<string, Handler<never>>> = handlers[route.kind];
  const handler = Object.hasOwn(byMethod, method) ? byMethod[method] : undefined;
  if (handler === undefined) {
    throw new Refusal('UNSUPPORTED', `${method} is not supported here`, { headers: { allow: Object.keys(byMethod).join(', ') } });
  }
  const body = bodyOf(request, fault, options.stopping);
  return await handler({ ...options.parts, request, path, query, body }, route as never);
}

function bodyOf(request: IncomingMessage, { interrupt }: Fault, stopping: AbortSignal): Readable {
  if (interrupt?.of !== 'request') return request;
  // Whoever reads the body gets the error, so nobody else has to.
  return pipeline(request, addAbortSignal(stopping, interrupting(interrupt, request.socket)), () => undefined);
}

/** What goes wrong before anything is done. */
async function misbehave(fault: Fault, response: ServerResponse, stopping: AbortSignal): Promise<void> {
  const { delayMs, stall, status } = fault;
  if (delayMs !== undefined || stall === true) {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const signal = AbortSignal.any([gone.signal, stopping]);
    if (delayMs !== undefined) await delay(delayMs, undefined, { signal });
    if (stall === true) await endOf(signal);
  }
  if (status === undefined) return;
  throw new Refusal(status === 429 ? 'TOOMANYREQUESTS' : 'UNKNOWN', 'failed on purpose', { status });
}

/** Rejects when the signal aborts, and never resolves. */
function endOf(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const end = (): void => reject(signal.reason as Error);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}

async function baseOf(): Promise<Answer> {
  return jsonAnswer({});
}

async function refuse(error: unknown, response: ServerResponse, options: SendOptions): Promise<void> {
  if (response.headersSent || response.destroyed || options.stopping.aborted) {
    response.destroy(); // what has begun can only be broken off
    return;
  }
  const refusal = error instanceof Refusal ? error : failure(error);
  await send(response, refusal.answer(), options).catch(() => response.destroy());
}

/** Trouble of our own, most likely the disk's. The client learns its code; paths stay here. */
function failure(cause: unknown): Refusal {
  const code = (cause as NodeJS.ErrnoException).code ?? 'no code';
  const isFull = cause instanceof MemoryFull || code === 'ENOSPC' || code === 'EDQUOT';
  return new Refusal('UNKNOWN', `the registry could not do this (${code})`, { cause, status: isFull ? 507 : 500 });
}
