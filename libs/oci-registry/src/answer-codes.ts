import type { ContentErrorCode } from '@waybill/oci-model';

const byReportedCode: Readonly<Record<string, ContentErrorCode>> = {
  // distribution-spec v1.1.1, "Error Codes"
  BLOB_UNKNOWN: 'not-found',
  BLOB_UPLOAD_INVALID: 'upload-invalid',
  BLOB_UPLOAD_UNKNOWN: 'upload-invalid',
  DIGEST_INVALID: 'digest-mismatch',
  MANIFEST_BLOB_UNKNOWN: 'blob-unknown',
  MANIFEST_INVALID: 'manifest-invalid',
  MANIFEST_UNKNOWN: 'not-found',
  NAME_INVALID: 'reference-invalid',
  NAME_UNKNOWN: 'not-found',
  SIZE_INVALID: 'size-mismatch',
  UNAUTHORIZED: 'unauthorized',
  DENIED: 'denied',
  UNSUPPORTED: 'unsupported',
  TOOMANYREQUESTS: 'rate-limited',
  // Distribution's own
  TAG_INVALID: 'reference-invalid',
  MANIFEST_UNVERIFIED: 'manifest-invalid',
  UNAVAILABLE: 'unavailable',
};

const byStatus: Readonly<Record<number, ContentErrorCode>> = {
  401: 'unauthorized',
  403: 'denied',
  404: 'not-found',
  405: 'unsupported',
  408: 'timeout',
  410: 'not-found',
  413: 'manifest-too-large',
  429: 'rate-limited',
  501: 'unsupported',
};

/** Of requests to an upload session. */
const byUploadStatus: Readonly<Record<number, ContentErrorCode>> = {
  404: 'upload-invalid', // nothing is asked for there but the session, and sessions end
  413: 'unsupported',
};

const retryable: ReadonlySet<ContentErrorCode> = new Set([
  'rate-limited',
  'unavailable',
  'unreachable',
  'timeout',
  'upload-invalid', // a new session may do
]);

const writesManifest: ReadonlySet<string> = new Set(['push manifest', 'put tag']);

/** What an answer means: a status, the codes of its `errors[]`, and what was asked. */
export function codeOfAnswer(status: number, reported: readonly string[], operation: string): ContentErrorCode {
  // A gateway in front may quote any code; that it cannot serve is what counts.
  if (status === 429) return 'rate-limited';
  if (status >= 500) return byStatus[status] ?? 'unavailable';

  const known = reported.flatMap((code) => byReportedCode[code] ?? []);
  // Distribution reports every missing blob of a manifest, others mix in MANIFEST_INVALID.
  const code = known.includes('blob-unknown') ? 'blob-unknown' : (known[0] ?? codeOfStatus(status, operation));
  const lacksChild = writesManifest.has(operation) && known[0] === 'not-found' && !reported.includes('NAME_UNKNOWN');
  return lacksChild ? 'blob-unknown' : code; // GitHub's registry answers MANIFEST_UNKNOWN to an index whose child is missing
}

function codeOfStatus(status: number, operation: string): ContentErrorCode {
  const ofUpload = operation === 'push blob' ? byUploadStatus[status] : undefined;
  return ofUpload ?? byStatus[status] ?? 'protocol';
}

/** May the same be tried again? Network errors decide by themselves. */
export function isRetryable(code: ContentErrorCode): boolean {
  return retryable.has(code);
}
