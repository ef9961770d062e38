import { discard } from './body.js';
import type { Answer, Exchange } from './exchange.js';

const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const maxHops = 5;

export interface RedirectPowers {
  /** Sends one request, with credentials where its own address deserves them. */
  exchange(exchange: Exchange): Promise<Answer>;
  /** Checks and resolves a link; throws for one that must not be followed. */
  link(text: string | undefined, base: URL): URL;
}

/**
 * Follows redirects of reads by our own rules: each hop's address is checked, each hop gets
 * credentials only when it is at the registry's own origin. A redirected write is an answer
 * like any other, and not a welcome one: the specification knows none.
 */
export async function followRedirects(exchange: Exchange, powers: RedirectPowers): Promise<Answer> {
  let current = exchange;
  for (let hop = 0; ; hop += 1) {
    const answer = await powers.exchange(current);
    const follows = redirectStatuses.has(answer.status) && (exchange.method === 'GET' || exchange.method === 'HEAD');
    if (!follows || hop === maxHops) return answer;
    await discard(answer);
    current = { ...current, url: powers.link(answer.headers.location, current.url) };
  }
}
