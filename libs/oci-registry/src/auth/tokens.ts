import type { Clock } from '@waybill/kernel';
import { tokenOperation } from '../retry.js';
import { fingerprintOf } from './credentials.js';
import { coversScopes, scopeTexts } from './scopes.js';
import { SingleFlight } from './single-flight.js';
import { isFresh, type Token, tokenFrom } from './token.js';
import type { TokenRequest, TokenServer } from './token-server.js';

/** A client that walks through thousands of repositories needs few tokens at a time. */
const defaultCapacity = 256;

interface Held {
  /** Realm, service and credentials: tokens of another of these are no use. */
  readonly owner: string;
  readonly token: Token;
}

/** The tokens that one client holds: each asked for once however many want it, kept while it is fresh, a bounded number. */
export class Tokens {
  readonly #server: Pick<TokenServer, 'request'>;
  readonly #clock: Clock;
  readonly #capacity: number;
  /** In the order in which they were last used. */
  readonly #held = new Map<string, Held>();
  readonly #flights = new SingleFlight<Token>(tokenOperation);

  constructor(settings: { readonly server: Pick<TokenServer, 'request'>; readonly clock: Clock; readonly capacity?: number }) {
    this.#server = settings.server;
    this.#clock = settings.clock;
    this.#capacity = settings.capacity ?? defaultCapacity;
  }

  /** A token that allows at least what is asked for, as far as its server granted it, fresh enough for the purpose. */
  async get(
    request: TokenRequest,
    options: { readonly purpose: 'short' | 'long'; readonly signal?: AbortSignal | undefined },
  ): Promise<Token> {
    const owner = [request.realm.href, request.service ?? '', fingerprintOf(request.credentials)].join('\n');
    const known = this.#find(owner, request, options.purpose);
    if (known !== undefined) return known;
    const key = [owner, ...scopeTexts(request.scopes)].join('\n');
    return await this.#flights.run(
      key,
      async (signal) => {
        const token = tokenFrom(await this.#server.request(request, signal), request.scopes, this.#clock);
        this.#keep(key, { owner, token });
        return token;
      },
      options.signal,
    );
  }

  /** The registry refused it. */
  drop(token: Token): void {
    for (const [key, held] of this.#held) if (held.token === token) this.#held.delete(key);
  }

  #find(owner: string, { scopes }: TokenRequest, purpose: 'short' | 'long'): Token | undefined {
    for (const [key, held] of this.#held) {
      if (held.owner !== owner || !coversScopes(held.token.scopes, scopes) || !isFresh(held.token, purpose, this.#clock)) continue;
      this.#keep(key, held);
      return held.token;
    }
    return undefined;
  }

  #keep(key: string, held: Held): void {
    this.#held.delete(key);
    this.#held.set(key, held);
    for (const oldest of this.#held.keys()) {
      if (this.#held.size <= this.#capacity) return;
      this.#held.delete(oldest);
    }
  }
}
