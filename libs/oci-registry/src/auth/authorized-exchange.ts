import { Readable } from 'node:stream';
import { maxErrorBytes } from '../answer-errors.js';
import { readCapped } from '../body.js';
import type { Answer, Exchange } from '../exchange.js';
import { RegistryError } from '../registry-error.js';
import type { Authorization, Authorizer, Purpose } from './authorizer.js';
import { challengeOf, parseChallenges } from './challenge.js';
import type { Deed } from './scopes.js';

export interface AuthorizedExchangePowers {
  readonly host: string;
  readonly authorizer: Authorizer;
  /** Sends one request with that `Authorization`. */
  exchange(exchange: Exchange, authorization: string | undefined): Promise<Answer>;
}

/**
 * Sends a request to the registry's own origin as whoever we are there; when that is refused, once more
 * with what the registry wants instead. A streamed body is sent once only, since what it held is gone.
 * @throws RegistryError `unauthorized`, retryable, when a streamed body was refused and now would not be
 */
export async function exchangeAuthorized(exchange: Exchange, deed: Deed, powers: AuthorizedExchangePowers): Promise<Answer> {
  const { authorizer, host } = powers;
  const isLong = exchange.body !== undefined && !(exchange.body instanceof Uint8Array);
  const purpose: Purpose = { deed, isLong, signal: exchange.signal };

  const first = await authorizer.authorize(purpose);
  const answer = await powers.exchange(exchange, first.header);
  if (!wantsMore(answer)) return marked(answer, first);

  // Its connection is given back before a token is asked for, perhaps over the same one.
  const refusal = await released(answer);
  const second = await authorizer.renew(first, answer.headers['www-authenticate'], purpose);
  if (second === undefined) return marked(refusal, first);
  if (isLong) {
    throw new RegistryError(`${host} no longer took our token when the content was sent: it has to be sent again`, {
      code: 'unauthorized',
      operation: exchange.operation,
      host,
      status: answer.status,
      retryable: true,
    });
  }
  return marked(await powers.exchange(exchange, second.header), second);
}

/** RFC 6750, section 3.1 answers 403 where a token allows too little; Distribution answers 401 to everything. */
function wantsMore({ status, headers }: Answer): boolean {
  if (status === 401) return true;
  if (status !== 403) return false;
  return challengeOf(parseChallenges(headers['www-authenticate']), 'bearer')?.params.get('error') === 'insufficient_scope';
}

function marked(answer: Answer, { credentials }: Authorization): Answer {
  return { ...answer, isAnonymous: credentials === undefined };
}

/** The same answer with its body read, as far as anyone will. */
async function released(answer: Answer): Promise<Answer> {
  try {
    const { bytes } = await readCapped(answer, maxErrorBytes);
    return { ...answer, body: Readable.from([bytes]) };
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'aborted') throw error;
    return { ...answer, body: Readable.from([]) }; // a broken error body takes nothing from its status
  }
}
