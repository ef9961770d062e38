import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent, type AgentOptions } from 'node:https';
import type { LookupFunction } from 'node:net';
import { guardedLookup, pinnedLookup } from './lookups.js';
import type { Pins } from './network-options.js';
import { HttpProxyAgent, HttpsProxyAgent } from './proxy-agents.js';
import type { Proxies, ProxyServer } from './proxies.js';
import type { TlsSettings } from './tls.js';

/** Small requests must not queue behind blobs, so they have connections of their own. */
export type Lane = 'small' | 'blob';

/** The connections that one request may use. */
export interface Way {
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpsAgent;
  /** Stands between us and the address. */
  readonly proxy?: ProxyServer;
}

export interface AgentSettings {
  readonly origin: URL;
  /** Most connections to one host at a time. */
  readonly connections: number;
  readonly fromLoopback: boolean;
  readonly proxies: Proxies;
  readonly pins: Pins;
  readonly tls: TlsSettings;
}

/** Shorter than any common server's or load balancer's own limit, so that we close first. */
const idleConnectionMs = 15_000;

/** All connections of one client: bounded per host and lane, kept alive between requests. */
export class Agents {
  readonly #settings: AgentSettings;
  readonly #lookup: LookupFunction;
  readonly #own: Readonly<Record<Lane, Way>>;
  /** To what the registry links to, by the proxy that it takes. */
  readonly #foreign = new Map<ProxyServer | undefined, Way>();

  constructor(settings: AgentSettings) {
    this.#settings = settings;
    this.#lookup = pinnedLookup(settings.pins);
    const { connections, origin, proxies, tls } = settings;
    const small = Math.max(1, Math.floor(connections / 2));
    const way = (maxSockets: number): Way => this.#way(proxies.of(origin), { maxSockets, lookup: this.#lookup, ...tls.own });
    const smallWay = way(small);
    this.#own = { small: smallWay, blob: connections === 1 ? smallWay : way(connections - small) };
  }

  /**
   * The way to an address. On other origins than the registry's own, every address that a name resolves to is
   * checked first, unless a proxy does the resolving, and our certificate is not shown.
   */
  for(url: URL, lane: Lane): Way {
    const { origin, proxies, connections, fromLoopback, tls } = this.#settings;
    if (url.origin === origin.origin) return this.#own[lane];
    const proxy = proxies.of(url);
    const known = this.#foreign.get(proxy);
    if (known !== undefined) return known;
    const lookup = guardedLookup(fromLoopback, this.#lookup);
    const way = this.#way(proxy, { maxSockets: connections, lookup, ...tls.foreign });
    this.#foreign.set(proxy, way);
    return way;
  }

  /** Breaks every connection, also those in use. */
  close(): void {
    for (const { httpAgent, httpsAgent } of [this.#own.small, this.#own.blob, ...this.#foreign.values()]) {
      httpAgent.destroy();
      httpsAgent.destroy();
    }
  }

  #way(proxy: ProxyServer | undefined, options: AgentOptions): Way {
    const settings: AgentOptions = { keepAlive: true, scheduling: 'lifo', timeout: idleConnectionMs, ...options };
    if (proxy === undefined) return { httpAgent: new HttpAgent(settings), httpsAgent: new HttpsAgent(settings) };
    // The proxy is whom we were told to trust, so its own name is not guarded.
    const access = { proxy, lookup: this.#lookup, ...this.#settings.tls.foreign };
    return { httpAgent: new HttpProxyAgent(settings, access), httpsAgent: new HttpsProxyAgent(settings, access), proxy };
  }
}
