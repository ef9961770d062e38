import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';

/** What a token server gave. */
export interface TokenGrant {
  readonly value: string;
  readonly lifetimeMs: number;
  /** How old the token was when it came: a server may give one out that it has kept for a while. */
  readonly ageMs: number;
}

/** For servers that do not say, as Distribution's token specification has it. */
const defaultLifetimeMs = 60_000;
const longestLifetimeMs = 24 * 60 * 60 * 1000;

/** Distribution's token specification and its OAuth2 variant: one calls it `token`, the other `access_token`. */
const TokenAnswer = z.object({
  token: z.string().nullish(),
  access_token: z.string().nullish(),
  expires_in: z.coerce.number().positive().nullish().catch(null),
  issued_at: z.string().nullish().catch(null),
});

/** The words of a refusal: Distribution's `errors`, OAuth's `error`, Docker Hub's `details`. */
const TokenRefusal = z.object({
  errors: z
    .array(z.object({ code: z.string().catch(''), message: z.string().catch('') }))
    .nullish()
    .catch(null),
  error: z.string().nullish().catch(null),
  error_description: z.string().nullish().catch(null),
  details: z.string().nullish().catch(null),
});

/** The token in an answer's body; undefined when there is none that could be sent in a header. */
export function parseGrant(body: Uint8Array, headers: IncomingHttpHeaders, now: Date): TokenGrant | undefined {
  const answer = parse(TokenAnswer, body);
  const value = [answer?.token, answer?.access_token].find(isText);
  if (answer === undefined || value === undefined || !/^[\x21-\x7e]+$/.test(value)) return undefined;

  const lifetimeMs = Math.min((answer.expires_in ?? 0) * 1000 || defaultLifetimeMs, longestLifetimeMs);
  const ageMs = ageOf(answer.issued_at, headers.date, now);
  // Nobody gives out what is over: a clock is wrong, or a Go program wrote the year 1 for no time. Each request would ask anew.
  return { value, lifetimeMs, ageMs: ageMs < lifetimeMs ? ageMs : 0 };
}

/** A refusal's reason and its codes, as the server wrote them. */
export function parseRefusal(body: Uint8Array): { readonly codes: readonly string[]; readonly reason: string } {
  const answer = parse(TokenRefusal, body);
  const errors = answer?.errors ?? [];
  return {
    codes: [...errors.map(({ code }) => code), answer?.error ?? ''].filter((code) => code !== ''),
    reason: [errors[0]?.message, answer?.error_description, answer?.details, answer?.error].find(isText) ?? '',
  };
}

function isText(value: string | null | undefined): value is string {
  return value !== undefined && value !== null && value !== '';
}

/** Told from the server's own clock where it shows that, since ours may be wrong. */
function ageOf(issuedAt: string | null | undefined, date: string | undefined, now: Date): number {
  const issued = Date.parse(issuedAt ?? '');
  const answered = Date.parse(date ?? '');
  const age = (Number.isNaN(answered) ? now.getTime() : answered) - issued;
  return Number.isNaN(age) ? 0 : Math.max(0, age);
}

function parse<Shape extends z.ZodType>(shape: Shape, body: Uint8Array): z.infer<Shape> | undefined {
  try {
    return shape.parse(JSON.parse(Buffer.from(body).toString('utf8')));
  } catch {
    return undefined;
  }
}
