import { Agent as HttpAgent, type AgentOptions as HttpAgentOptions, type ClientRequestArgs } from 'node:http';
import { Agent as HttpsAgent, type AgentOptions, type RequestOptions } from 'node:https';
import { connect, isIP, isIPv6, type LookupFunction } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectSecurely, type SecureContext } from 'node:tls';
import { unbracketed } from './addresses.js';
import type { ProxyServer } from './proxies.js';
import { portOf, Tunnel } from './tunnel.js';

/** How to reach the proxy itself. */
export interface ProxyAccess {
  readonly proxy: ProxyServer;
  readonly lookup: LookupFunction;
  readonly secureContext?: SecureContext;
}

/*
 * Both give Node's agents a connection at once, standing or not, as their bounds count only what they have been given.
 * So connections through a proxy are limited, queued, kept alive and closed as all others are.
 */

/** For `http://` addresses: a connection to the proxy, which is asked with the whole URL (RFC 9112, section 3.2.2). */
export class HttpProxyAgent extends HttpAgent {
  readonly #access: ProxyAccess;

  constructor(options: HttpAgentOptions, access: ProxyAccess) {
    super(options);
    this.#access = access;
  }

  override createConnection(_options: ClientRequestArgs): Duplex {
    const { proxy, lookup, secureContext } = this.#access;
    const address = { host: unbracketed(proxy.url.hostname), port: portOf(proxy.url), lookup, noDelay: true };
    if (proxy.url.protocol === 'http:') return connect(address);
    return connectSecurely({
      ...address,
      servername: isIP(address.host) === 0 ? address.host : '',
      ...(secureContext === undefined ? {} : { secureContext }),
    });
  }
}

/** For `https://` addresses: TLS with the address itself, through a tunnel that the proxy makes. */
export class HttpsProxyAgent extends HttpsAgent {
  readonly #access: ProxyAccess;

  constructor(options: AgentOptions, access: ProxyAccess) {
    super(options);
    this.#access = access;
  }

  override createConnection(options: RequestOptions): Duplex | null | undefined {
    const { host, port } = options;
    const target = `${isIPv6(host ?? '') ? `[${host}]` : host}:${port}`;
    const through = { ...options, socket: new Tunnel({ ...this.#access, target }) };
    return super.createConnection(through);
  }
}
