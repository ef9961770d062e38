import type { IncomingHttpHeaders } from 'node:http';
import type { ContentErrorCode } from '@waybill/oci-model';
import { isDigest } from '@waybill/oci-model';
import { codeOfAnswer, isRetryable } from './answer-codes.js';
import type { Redactor } from './redact.js';
import { RegistryError, type ReportedError } from './registry-error.js';
import { retryAfterMs } from './retry-after.js';
import { ErrorBody, MissingContent } from './schema.js';

/** Most of an error's body that is read. */
export const maxErrorBytes = 64 * 1024;
const maxReported = 10;
const maxMessage = 300;

export interface RefusedAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** What was read of the body, at most `maxErrorBytes`. */
  readonly body: Uint8Array;
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
  const body = parse(answer.body);
  const reported = body.errors.map((error) => error.code);
  const code = codeOfAnswer(answer.status, reported, operation);
  const registryErrors = shorten(body, redactor);
  const wait = retryAfterMs(answer.headers['retry-after'], new Date());
  const digests = code === 'blob-unknown' ? missingIn(body) : [];

  return new RegistryError(`${host} answered ${answer.status} to ${operation}${quoted(registryErrors)}${hint(code, answer)}`, {
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

function parse(bytes: Uint8Array): ErrorBody {
  try {
    return ErrorBody.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch {
    return { errors: [] }; // proxies and read-only registries answer in no format of ours; the status says enough
  }
}

function shorten(body: ErrorBody, redactor: Redactor): readonly ReportedError[] {
  return body.errors.slice(0, maxReported).map((error) => ({
    code: redactor.excerpt(error.code, 100),
    message: redactor.excerpt(error.message ?? '', maxMessage),
  }));
}

function missingIn(body: ErrorBody): readonly string[] {
  const digests = body.errors.flatMap((error) => {
    const detail = MissingContent.safeParse(error.detail);
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

function hint(code: ContentErrorCode, answer: RefusedAnswer): string {
  switch (code) {
    case 'unauthorized':
      return /^\s*bearer\b/i.test(answer.headers['www-authenticate'] ?? '')
        ? ': it asks for a token, and token authentication is not implemented yet'
        : ": check the registry's credentials";
    case 'denied':
      return ': the credentials are good but do not allow this';
    case 'unsupported':
      return ': it is read-only or does not offer this';
    case 'protocol':
      return ', which the specification does not allow here: check that its URL is the registry itself';
    default:
      return '';
  }
}
