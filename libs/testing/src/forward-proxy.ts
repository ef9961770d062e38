import { once } from 'node:events';
import { createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { IssuedCertificate } from './certificates.js';

export interface ForwardProxyOptions {
  /** The proxy itself speaks TLS. */
  readonly tls?: IssuedCertificate;
  /** Asked of everyone who comes. */
  readonly credentials?: { readonly username: string; readonly password: string };
  /** Where a name leads, in place of a resolver. */
  readonly names?: Readonly<Record<string, string>>;
  /** Takes the place of what it does with CONNECT. */
  readonly onConnect?: (socket: Duplex) => void;
}

/** A forward proxy on loopback that notes what it is asked for. */
export interface ForwardProxy {
  /** `http://127.0.0.1:<port>`, or https. */
  readonly url: string;
  /** `CONNECT host:port`, or the method and the whole URL, in order. */
  readonly asked: readonly string[];
  /** How many tunnels stand. */
  readonly tunnels: number;
  /** The most that stood at one time. */
  readonly mostTunnels: number;
  stop(): Promise<void>;
}

export async function startForwardProxy(options: ForwardProxyOptions = {}): Promise<ForwardProxy> {
  const asked: string[] = [];
  const sockets = new Set<Duplex>();
  let tunnels = 0;
  let mostTunnels = 0;
  const server = options.tls === undefined ? createServer() : createSecureServer(options.tls);

  const track = (socket: Duplex): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  };
  server.on('connection', track);
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    asked.push(`${request.method} ${request.url}`);
    if (!isWelcome(request, options)) response.writeHead(407).end('who are you?');
    else passOn(request, response, options);
  });
  server.on('connect', (request: IncomingMessage, client: Duplex) => {
    asked.push(`CONNECT ${request.url}`);
    client.on('error', () => undefined);
    if (options.onConnect !== undefined) {
      options.onConnect(client);
      return;
    }
    if (!isWelcome(request, options)) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    tunnels += 1;
    mostTunnels = Math.max(mostTunnels, tunnels);
    client.once('close', () => {
      tunnels -= 1;
    });
    track(tunnelTo(request.url ?? '', client, options));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the kernel gave no port');

  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${address.port}`,
    asked,
    get tunnels() {
      return tunnels;
    },
    get mostTunnels() {
      return mostTunnels;
    },
    async stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}

function isWelcome({ headers }: IncomingMessage, { credentials }: ForwardProxyOptions): boolean {
  if (credentials === undefined) return true;
  const basic = Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64');
  return headers['proxy-authorization'] === `Basic ${basic}`;
}

function tunnelTo(target: string, client: Duplex, { names }: ForwardProxyOptions): Socket {
  const [host = '', port = ''] = target.split(':');
  const upstream = connect({ host: names?.[host] ?? host, port: Number(port) }, () => {
    client.write('HTTP/1.1 200 Connection established\r\n\r\n');
    client.pipe(upstream).pipe(client);
  });
  upstream.once('error', () => client.end('HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n'));
  upstream.once('close', () => client.destroy());
  client.once('close', () => upstream.destroy());
  return upstream;
}

function passOn(request: IncomingMessage, response: ServerResponse, { names }: ForwardProxyOptions): void {
  const { hostname, host, port, pathname, search } = new URL(request.url ?? '');
  const { 'proxy-authorization': _ours, ...headers } = request.headers;
  const onward = httpRequest(
    { method: request.method, host: names?.[hostname] ?? hostname, port, path: `${pathname}${search}`, headers: { ...headers, host } },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    },
  );
  onward.once('error', () => response.writeHead(502).end());
  request.pipe(onward);
}
