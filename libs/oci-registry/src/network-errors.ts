import type { ContentErrorCode } from '@waybill/oci-model';
import type { Redactor } from './redact.js';
import { RegistryError } from './registry-error.js';

interface Verdict {
  readonly code: ContentErrorCode;
  readonly retryable: boolean;
  readonly says: string;
}

const certificate: Verdict = {
  code: 'unreachable',
  retryable: false,
  says: 'shows a certificate that is not trusted: check its host name, its dates and its authority',
};
const broken: Verdict = { code: 'unreachable', retryable: true, says: 'broke the connection' };
const noRoute: Verdict = { code: 'unreachable', retryable: true, says: 'cannot be reached over the network' };

const ourCertificate: Verdict = {
  code: 'unauthorized',
  retryable: false,
  says: 'asks for a client certificate, or does not trust the one it was shown: check "tls" of the registry',
};

/** Node's, OpenSSL's and our own words for a broken exchange. */
const verdicts: Readonly<Record<string, Verdict>> = {
  ECONNREFUSED: { code: 'unreachable', retryable: true, says: 'refuses connections' },
  ECONNRESET: broken,
  ECONNABORTED: broken,
  EPIPE: broken,
  ERR_STREAM_PREMATURE_CLOSE: broken,
  ENOTFOUND: { code: 'unreachable', retryable: true, says: 'is a name that does not resolve' },
  EAI_AGAIN: { code: 'unreachable', retryable: true, says: 'is a name that does not resolve now' },
  ENETUNREACH: noRoute,
  EHOSTUNREACH: noRoute,
  EADDRNOTAVAIL: noRoute,
  ETIMEDOUT: { code: 'unreachable', retryable: true, says: 'does not answer to connections' },
  EPROTO: { code: 'unreachable', retryable: false, says: 'does not speak TLS as asked: check http or https in its URL' },
  CERT_HAS_EXPIRED: certificate,
  CERT_NOT_YET_VALID: certificate,
  CERT_REVOKED: certificate,
  CERT_UNTRUSTED: certificate,
  CERT_REJECTED: certificate,
  CERT_SIGNATURE_FAILURE: certificate,
  DEPTH_ZERO_SELF_SIGNED_CERT: certificate,
  ERR_TLS_CERT_ALTNAME_INVALID: certificate,
  HOSTNAME_MISMATCH: certificate,
  INVALID_CA: certificate,
  INVALID_PURPOSE: certificate,
  SELF_SIGNED_CERT_IN_CHAIN: certificate,
  UNABLE_TO_GET_ISSUER_CERT: certificate,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: certificate,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: certificate,
  ERR_PROXY_UNREACHABLE: { code: 'unreachable', retryable: true, says: 'is behind a proxy that cannot be reached' },
  ERR_PROXY_FAILED: { code: 'unreachable', retryable: true, says: 'cannot be reached by its proxy' },
  ERR_PROXY_REFUSED: { code: 'unreachable', retryable: false, says: 'is behind a proxy that refuses to lead there' },
  ERR_PROXY_CREDENTIALS: { code: 'unauthorized', retryable: false, says: 'is behind a proxy that asks for other credentials' },
  ERR_FORBIDDEN_ADDRESS: { code: 'protocol', retryable: false, says: 'links to an address that must not be followed' },
};
/** TLS alerts that mean our certificate (RFC 8446, section 6.2); OpenSSL puts the version before the alert. */
const aboutOurCertificate =
  /_ALERT_(BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_(REQUIRED|REVOKED|EXPIRED|UNKNOWN)|UNKNOWN_CA|NO_CERTIFICATE|ACCESS_DENIED)$/;

const malformed: Verdict = { code: 'protocol', retryable: false, says: 'gives answers that are no HTTP' };

export interface NetworkContext {
  readonly host: string;
  /** Who is at the other end, when that is not the registry itself. */
  readonly party?: string;
  readonly operation: string;
  readonly redactor: Redactor;
}

/** The typed error for a broken exchange. Ours pass through; of others only code and redacted text are kept. */
export function errorOfNetwork(error: unknown, context: NetworkContext): RegistryError {
  if (error instanceof RegistryError) return error;
  const { host, operation, redactor } = context;
  const errno = codeIn(error);
  const verdict = verdictOn(errno);

  return new RegistryError(`${context.party ?? host} ${verdict.says}`, {
    code: verdict.code,
    operation,
    host,
    retryable: verdict.retryable,
    details: errno === undefined ? {} : { errno },
    // Never the error itself: an HTTP client's errors carry the request with its headers.
    cause: Object.assign(new Error(redactor.excerpt(messageOf(error), 300)), errno === undefined ? {} : { code: errno }),
  });
}

function verdictOn(errno: string | undefined): Verdict {
  if (errno === undefined) return broken;
  const verdict = verdicts[errno];
  if (verdict !== undefined) return verdict;
  if (errno.startsWith('HPE_')) return malformed; // the HTTP parser's codes
  if (aboutOurCertificate.test(errno)) return ourCertificate;
  if (errno.startsWith('ERR_SSL_')) return verdicts['EPROTO'] ?? broken;
  return broken;
}

function codeIn(error: unknown): string | undefined {
  const own = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof own === 'string' && /^[A-Z0-9_]{1,60}$/.test(own) ? own : undefined;
}

/** With several addresses tried, Node gives an AggregateError with an empty message. */
function messageOf(error: unknown): string {
  const { message, errors } = (error ?? {}) as { readonly message?: unknown; readonly errors?: unknown };
  if (typeof message === 'string' && message !== '') return message;
  return Array.isArray(errors) ? errors.map(messageOf).join('; ') : 'no reason given';
}
