import type { IncomingHttpHeaders } from 'node:http';
import { type ContentErrorCode, isDigest } from '@waybill/oci-model';
import { codeOfAnswer, isRetryable } from './answer-codes.js';
import { challengeOf, parseChallenges } from './auth/challenge.js';
import { parseScopes, scopeTexts } from './auth/scopes.js';
import type { Redactor } from './redact.js';
import { RegistryError, type ReportedError } from './registry-error.js';
import { retryAfterMs } from './retry-after.js';
import { ErrorBody, ErrorEntry, MissingContent } from './schema.js';

/** Most of an error's body that is read. */
export const maxErrorBytes = 64 * 1024;
const maxReported = 10;
const maxMessage = 300;
const wantsCredentials = ': it wants credentials, and none are declared for this';

export interface RefusedAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** What was read of the body, at most `maxErrorBytes`. */
  readonly body: Uint8Array;
  readonly isAnonymous?: boolean;
}

export interface AnswerContext {
  readonly host: string;
  readonly operation: string;
  readonly redactor: Redactor;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** The typed error that an unwelcome answer means. */
export function errorOfAnswer(answer: RefusedAnswer, context: AnswerContext): RegistryError {
  const { host, operation, redactor } = context;
  const entries = parse(answer.body);
  const reported = entries.map((entry) => entry.code);
  const code = allowsTooLittle(answer) ? 'denied' : codeOfAnswer(answer.status, reported, operation);
  const registryErrors = shorten(entries, redactor);
  const wait = retryAfterMs(answer.headers['retry-after'], new Date());
  const digests = code === 'blob-unknown' ? missingIn(entries) : [];

  return new RegistryError(`${host} answered ${answer.status} to ${operation}${quoted(registryErrors)}${hint(code, answer, redactor)}`, {
    code,
    operation,
    host,
    status: answer.status,
    registryErrors,
    retryable: isRetryable(code),
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
    details: { ...context.details, ...(digests.length === 0 ? {} : { digests }) },
  });
}

/** Proxies and read-only registries answer in formats of their own; then the status has to say enough. */
function parse(bytes: Uint8Array): readonly ErrorEntry[] {
  try {
    const { errors } = ErrorBody.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
    return errors.flatMap((entry) => ErrorEntry.safeParse(entry).data ?? []);
  } catch {
    return [];
  }
}

function shorten(entries: readonly ErrorEntry[], redactor: Redactor): readonly ReportedError[] {
  return entries.slice(0, maxReported).map((entry) => ({
    code: redactor.excerpt(entry.code, 100),
    message: redactor.excerpt(entry.message ?? '', maxMessage),
  }));
}

function missingIn(entries: readonly ErrorEntry[]): readonly string[] {
  const digests = entries.flatMap((entry) => {
    const detail = MissingContent.safeParse(entry.detail);
    return detail.success && isDigest(detail.data.digest) ? [detail.data.digest] : [];
  });
  return [...new Set(digests)];
}

function quoted(errors: readonly ReportedError[]): string {
  const [first] = errors;
  if (first === undefined) return '';
  const more = errors.length > 1 ? ', and more' : '';
  return first.message === '' ? ` (${first.code}${more})` : ` (${first.code}: ${first.message}${more})`;
}

/** Our token is good, and its server did not grant what is needed (RFC 6750, section 3.1); with a 401, as Distribution answers. */
function allowsTooLittle(answer: RefusedAnswer): boolean {
  const isRefusal = answer.status === 401 || answer.status === 403;
  return isRefusal && answer.isAnonymous === false && bearerOf(answer)?.get('error') === 'insufficient_scope';
}

function bearerOf({ headers }: RefusedAnswer): ReadonlyMap<string, string> | undefined {
  return challengeOf(parseChallenges(headers['www-authenticate']), 'bearer')?.params;
}

function hint(code: ContentErrorCode, answer: RefusedAnswer, redactor: Redactor): string {
  switch (code) {
    case 'unauthorized':
      return unauthorizedHint(answer);
    case 'denied':
      if (answer.isAnonymous === true) return wantsCredentials;
      return `: the credentials are good but do not allow this${missingScope(answer, redactor)}`;
    case 'unsupported':
      return ': it is read-only or does not offer this';
    case 'protocol':
      if (answer.status >= 300 && answer.status < 400) return ', a redirect too many, or of a request that must not be redirected';
      return ', which the specification does not allow here: check that its URL is the registry itself';
    default:
      return '';
  }
}

function unauthorizedHint(answer: RefusedAnswer): string {
  if (answer.isAnonymous === true) return wantsCredentials;
  return bearerOf(answer)?.get('error') === 'invalid_token'
    ? ': it refuses the token that its token server gave: compare their clocks, keys, issuers and service names'
    : ": check the registry's credentials";
}

/** Distribution names a scope's actions in another order each time; here they are sorted. */
function missingScope(answer: RefusedAnswer, redactor: Redactor): string {
  const scope = scopeTexts(parseScopes(bearerOf(answer)?.get('scope'))).join(' ');
  return scope === '' ? '' : `; its token server would have to grant ${redactor.excerpt(scope, maxMessage)}`;
}
