import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type ServerOptions } from 'node:https';

/** Answers one request; `index` counts the requests from 0. */
export type Script = (request: IncomingMessage, response: ServerResponse, index: number) => unknown;

export interface SeenRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/** An HTTP server on loopback that does what a test tells it, however wrong. */
export interface ScriptedServer {
  /** `http://127.0.0.1:<port>`, or https. */
  readonly origin: string;
  /** `127.0.0.1:<port>` */
  readonly host: string;
  /** What was asked so far, in order. */
  readonly requests: readonly SeenRequest[];
  stop(): Promise<void>;
}

/** With `tls` the server speaks https. */
export async function startScriptedServer(script: Script, tls?: ServerOptions): Promise<ScriptedServer> {
  const requests: SeenRequest[] = [];
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const { method = '', url = '', headers } = request;
    requests.push({ method, url, headers });
    request.on('error', () => undefined); // a client that breaks off is what some tests are about
    void script(request, response, requests.length - 1);
  };
  const server = tls === undefined ? createServer(listener) : createSecureServer(tls, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the kernel gave no port');
  const host = `127.0.0.1:${address.port}`;

  return {
    origin: `${tls === undefined ? 'http' : 'https'}://${host}`,
    host,
    requests,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
