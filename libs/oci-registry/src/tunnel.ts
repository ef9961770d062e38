import { type ClientRequest, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction, Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { SecureContext } from 'node:tls';
import { unbracketed } from './addresses.js';
import type { ProxyServer } from './proxies.js';

/** Most of what a server may say in headers, whatever Node was started with. */
export const maxHeaderBytes = 32 * 1024;

export interface TunnelSettings {
  readonly proxy: ProxyServer;
  /** `host:port`; the proxy resolves the name. */
  readonly target: string;
  readonly lookup: LookupFunction;
  /** For a proxy that is itself reached over TLS. */
  readonly secureContext?: SecureContext | undefined;
}

/**
 * A connection through a proxy (CONNECT; RFC 9110, section 9.3.6). It takes what is written at once, and
 * gives it to the target when the proxy has agreed. Any other answer of the proxy breaks it: a proxy's
 * words are never taken for those of the registry, whose certificate it could not show.
 */
export class Tunnel extends Duplex {
  readonly #request: ClientRequest;
  #socket: Socket | undefined;
  /** What waits for the proxy's agreement; streams write one chunk at a time. */
  #waiting: ((socket: Socket) => void) | undefined;

  constructor({ proxy, target, secureContext, lookup }: TunnelSettings) {
    super();
    this.#request = (proxy.url.protocol === 'https:' ? httpsRequest : httpRequest)({
      method: 'CONNECT',
      host: unbracketed(proxy.url.hostname),
      port: portOf(proxy.url),
      path: target,
      headers: {
        'user-agent': 'waybill',
        host: target,
        ...(proxy.authorization === undefined ? {} : { 'proxy-authorization': proxy.authorization }),
      },
      agent: false,
      maxHeaderSize: maxHeaderBytes,
      lookup,
      ...(secureContext === undefined ? {} : { secureContext }),
    });
    this.#request.on('error', (error) => this.destroy(unreachable(error)));
    this.#request.once('connect', ({ statusCode = 0 }, socket: Socket, head: Buffer) => {
      socket.on('error', (error) => this.destroy(error));
      this.#socket = socket; // ours to destroy from now on, no longer the request's
      if (statusCode >= 200 && statusCode < 300) this.#carry(socket, head);
      else this.destroy(proxyRefusal(statusCode));
    });
    this.#request.end();
  }

  override _read(): void {
    this.#socket?.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#whenStanding((socket) => socket.write(chunk, done));
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#whenStanding((socket) => socket.end(done));
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#request.destroy();
    this.#socket?.destroy();
    done(error);
  }

  #whenStanding(act: (socket: Socket) => void): void {
    if (this.#socket === undefined) this.#waiting = act;
    else act(this.#socket);
  }

  #carry(socket: Socket, head: Buffer): void {
    socket.setNoDelay(true);
    if (head.byteLength > 0) this.push(head);
    socket.on('data', (chunk) => {
      if (!this.push(chunk)) socket.pause();
    });
    socket.once('end', () => this.push(null));
    // What was received before a regular end is still to be read.
    socket.once('close', () => {
      if (!socket.readableEnded) this.destroy();
    });
    this.#waiting?.(socket);
  }
}

/** The port of a URL, also where it goes without saying. */
export function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'https:' ? 443 : 80;
}

function unreachable(cause: Error): Error {
  return Object.assign(new Error(`the proxy cannot be reached: ${cause.message}`), { code: 'ERR_PROXY_UNREACHABLE' });
}

/** What it means that a proxy refuses to lead on. */
export function proxyRefusal(status: number): Error {
  return Object.assign(new Error(`the proxy answered ${status}`), { code: refusalCode(status) });
}

function refusalCode(status: number): string {
  if (status === 407) return 'ERR_PROXY_CREDENTIALS';
  return status >= 500 ? 'ERR_PROXY_FAILED' : 'ERR_PROXY_REFUSED';
}
