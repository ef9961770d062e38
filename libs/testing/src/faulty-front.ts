import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { type ScriptedServer, type SeenRequest, startScriptedServer } from './scripted-server.js';

/** What becomes of a request: it is lost on its way, its answer is lost, or it is answered with a status and goes no further. */
export type FrontFault = 'lose-request' | 'lose-answer' | { readonly status: number };

/** Whether and how a request fails; it may do things of its own before the request goes on. */
export type FrontFaults = (request: SeenRequest) => FrontFault | undefined | Promise<FrontFault | undefined>;

const hopByHop: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'host', 'expect']);

/** Stands before a real server and lets chosen requests fail. Reads bodies whole: for small ones. */
export async function startFaultyFront(origin: string, faults: FrontFaults): Promise<ScriptedServer> {
  return await startScriptedServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    const body = await buffer(request);
    const fault = await faults({ method, url, headers });
    if (fault === 'lose-request') return request.socket.destroy();
    if (typeof fault === 'object') return response.writeHead(fault.status).end();

    const answer = await forward({ origin, request, body });
    if (fault === 'lose-answer') return request.socket.destroy();
    await pass(answer, response);
    return undefined;
  });
}

async function forward(message: { readonly origin: string; readonly request: IncomingMessage; readonly body: Buffer }): Promise<Response> {
  const { method = '', url = '', headers } = message.request;
  const kept = Object.entries(headers).filter(([name]) => !hopByHop.has(name));
  return await fetch(`${message.origin}${url}`, {
    method,
    headers: [
      ...kept.flatMap(([name, value]) => [value ?? []].flat().map((each): [string, string] => [name, each])),
      ['x-forwarded-host', headers.host ?? ''], // so that its links lead back here
    ],
    ...(message.body.byteLength === 0 ? {} : { body: Uint8Array.from(message.body) }),
    redirect: 'manual',
  });
}

async function pass(answer: Response, response: ServerResponse): Promise<void> {
  const body = Buffer.from(await answer.arrayBuffer());
  const headers = [...answer.headers].filter(([name]) => !hopByHop.has(name));
  response.writeHead(answer.status, Object.fromEntries(headers));
  response.end(body);
}
