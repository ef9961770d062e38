import type { Clock } from '@waybill/kernel';
import type { Scopes } from './scopes.js';
import type { TokenGrant } from './token-grant.js';

/** A token as we hold it. Times are of the monotonic clock. */
export interface Token {
  readonly value: string;
  /** What was asked for; what was granted may be less, and only the registry can tell. */
  readonly scopes: Scopes;
  readonly receivedAt: number;
  readonly lifetimeMs: number;
  readonly expiresAt: number;
}

/** A request without a body is soon there; one with a long body may wait for a connection, and cannot be sent again. */
const spare = {
  short: { mostMs: 5_000, share: 0.1 },
  long: { mostMs: 60_000, share: 0.5 },
} as const;

export function tokenFrom(grant: TokenGrant, scopes: Scopes, clock: Clock): Token {
  const receivedAt = clock.monotonic();
  const { value, lifetimeMs, ageMs } = grant;
  return { value, scopes, receivedAt, lifetimeMs, expiresAt: receivedAt + lifetimeMs - ageMs };
}

/** Will the token still be good when a request gets to the registry? */
export function isFresh(token: Token, purpose: 'short' | 'long', clock: Clock): boolean {
  const { mostMs, share } = spare[purpose];
  return token.expiresAt - clock.monotonic() > Math.min(mostMs, token.lifetimeMs * share);
}

export function ageOf(token: Token, clock: Clock): number {
  return clock.monotonic() - token.receivedAt;
}
