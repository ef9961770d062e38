import { Agent as HttpAgent, type AgentOptions } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { guardedLookup } from './addresses.js';

/** Small requests must not queue behind blobs, so they have connections of their own. */
export type Lane = 'small' | 'blob';

export interface AgentPair {
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpsAgent;
}

/** Shorter than any common server's or load balancer's own limit, so that we close first. */
const idleConnectionMs = 15_000;

/** All connections of one client: bounded per host and lane, kept alive between requests. */
export class Agents {
  readonly #own: Readonly<Record<Lane, AgentPair>>;
  readonly #foreign: AgentPair;

  constructor(settings: { readonly connections: number; readonly fromLoopback: boolean }) {
    const { connections } = settings;
    const small = Math.max(1, Math.floor(connections / 2));
    const smallPair = pair({ maxSockets: small });
    this.#own = { small: smallPair, blob: connections === 1 ? smallPair : pair({ maxSockets: connections - small }) };
    this.#foreign = pair({ maxSockets: connections, lookup: guardedLookup(settings.fromLoopback) });
  }

  /** For requests to the registry's own origin. */
  own(lane: Lane): AgentPair {
    return this.#own[lane];
  }

  /** For what the registry links to elsewhere: every resolved address is checked first. */
  foreign(): AgentPair {
    return this.#foreign;
  }

  /** Breaks every connection, also those in use. */
  close(): void {
    for (const { httpAgent, httpsAgent } of [this.#own.small, this.#own.blob, this.#foreign]) {
      httpAgent.destroy();
      httpsAgent.destroy();
    }
  }
}

function pair(options: AgentOptions): AgentPair {
  const settings: AgentOptions = { keepAlive: true, scheduling: 'lifo', timeout: idleConnectionMs, ...options };
  return { httpAgent: new HttpAgent(settings), httpsAgent: new HttpsAgent(settings) };
}
