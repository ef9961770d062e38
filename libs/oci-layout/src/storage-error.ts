import { ContentError, type ContentErrorCode } from '@waybill/oci-model';

const codeOf: Readonly<Record<string, ContentErrorCode>> = {
  ENOENT: 'not-found',
  ENOTDIR: 'not-found',
  EACCES: 'denied',
  EPERM: 'denied',
  EROFS: 'unsupported',
};

/**
 * What a failure means in the words of the content ports. A ContentError is passed on as it is,
 * because content that is pushed brings its source's errors along; once `signal` fired, it is the cause.
 */
export function toContentError(cause: unknown, operation: string, signal?: AbortSignal): ContentError {
  if (signal?.aborted === true) return aborted(operation, signal);
  if (cause instanceof ContentError) return cause;
  const { code = '', message } = cause as NodeJS.ErrnoException;
  return new ContentError(`cannot ${operation}: ${message}`, { code: codeOf[code] ?? 'unavailable', operation, cause });
}

export function aborted(operation: string, signal: AbortSignal): ContentError {
  return new ContentError(`cannot ${operation}: it was cancelled`, { code: 'aborted', operation, cause: signal.reason });
}

export function refuseAborted(operation: string, signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw aborted(operation, signal);
}

export function isMissing(error: unknown): boolean {
  return codeOf[(error as NodeJS.ErrnoException).code ?? ''] === 'not-found';
}
