import { type ErrorFacts, WaybillError } from '@waybill/kernel';
import { ContentError, type ContentErrorCode, type Digest, type Side } from '@waybill/oci-model';

/** What was wrong at one end of a copy. */
export type Fault =
  | 'missing' // the content, or its repository, is not there or we may not see it
  | 'corrupt' // the content is not what its digest or size says
  | 'invalid' // a manifest that cannot be understood, or that the store refuses
  | 'incomplete' // content beneath a manifest is missing
  | 'conflict' // a tag names something else, which must not be lost
  | 'denied' // credentials missing, wrong, or not good for this
  | 'unsupported' // the store does not do this
  | 'rate-limited'
  | 'unreachable' // no connection, a broken one, or no service
  | 'failed'; // an answer that no specification allows, or a store that broke its contract

/** The closed list of what a copy can end with; the first word names the end at fault. */
export type CopyErrorCode =
  | `${Side}-${Fault}`
  | 'stalled' // one end is there, and took or gave nothing for too long
  | 'hook-failed' // the caller's hook rejected
  | 'graph-too-large' // more manifests, descriptors or levels than the bounds allow
  | 'too-many-tags' // more tags to bring than the bound allows
  | 'arguments-invalid'
  | 'aborted'; // the caller's signal

/** Who is at fault; `engine` when it is neither end but a bound, an argument or the caller's signal. */
export type CopySide = Side | 'engine';

export interface CopyErrorFacts extends ErrorFacts<CopyErrorCode> {
  readonly side: CopySide;
  /** Id of the target that the failure belongs to; absent for the source. */
  readonly target?: string | undefined;
  readonly digest?: Digest | undefined;
}

/** Raised by everything in this library; the content store's own error is its cause. */
export class CopyError extends WaybillError<CopyErrorCode> {
  readonly side: CopySide;
  readonly target: string | undefined;
  readonly digest: Digest | undefined;

  constructor(message: string, facts: CopyErrorFacts) {
    super(message, facts);
    this.side = facts.side;
    this.target = facts.target;
    this.digest = facts.digest;
  }
}

/** Where something was being done when it failed. */
export interface Place {
  readonly side: Side;
  readonly target?: string | undefined;
  readonly operation: string;
  readonly digest?: Digest | undefined;
}

const faults: Readonly<Record<Exclude<ContentErrorCode, 'timeout'>, Fault>> = {
  'digest-invalid': 'invalid',
  'reference-invalid': 'invalid',
  'manifest-invalid': 'invalid',
  'manifest-too-large': 'invalid',
  'digest-mismatch': 'corrupt',
  'size-mismatch': 'corrupt',
  'not-found': 'missing',
  'blob-unknown': 'incomplete',
  'upload-invalid': 'failed',
  unauthorized: 'denied',
  denied: 'denied',
  unsupported: 'unsupported',
  'rate-limited': 'rate-limited',
  unavailable: 'unreachable',
  unreachable: 'unreachable',
  protocol: 'failed',
  aborted: 'failed', // our own signals are told apart before this table is asked
};

/** Says where a store's failure happened. What is a CopyError already is kept as it is. */
export function copyErrorFrom(cause: unknown, place: Place): CopyError {
  if (cause instanceof CopyError) return cause;
  if (cause instanceof ContentError) {
    return new CopyError(`${described(place)}: ${cause.message}`, {
      ...place,
      code: cause.code === 'timeout' ? 'stalled' : `${place.side}-${faults[cause.code]}`,
      retryable: cause.retryable,
      ...(cause.retryAfterMs === undefined ? {} : { retryAfterMs: cause.retryAfterMs }),
      details: cause.details,
      cause,
    });
  }
  if (isPrematureClose(cause)) {
    return new CopyError(`${described(place)}: the connection ended early`, {
      ...place,
      code: `${place.side}-unreachable`,
      retryable: true,
      cause,
    });
  }
  return new CopyError(`${described(place)}: the store failed without saying how`, {
    ...place,
    code: `${place.side}-failed`,
    cause,
  });
}

/** One end took or gave nothing for `timeoutMs`, though it was its turn. */
export function stalled(place: Place, timeoutMs: number): CopyError {
  return new CopyError(`${described(place)}: no progress for ${timeoutMs} ms`, { ...place, code: 'stalled', retryable: true });
}

/** The caller's signal ended `operation`. */
export function abortedBy(signal: AbortSignal, operation: string): CopyError {
  return new CopyError(`${operation}: cancelled by the caller`, {
    code: 'aborted',
    side: 'engine',
    operation,
    cause: signal.reason,
  });
}

export function invalidArguments(message: string): CopyError {
  return new CopyError(message, { code: 'arguments-invalid', side: 'engine', operation: 'copy graph' });
}

/** What Node says of a stream that was closed before its end without an error of its own. */
function isPrematureClose(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ERR_STREAM_PREMATURE_CLOSE';
}

function described(place: Place): string {
  const where = place.target === undefined ? place.side : `${place.side} "${place.target}"`;
  return `${where}: ${place.operation}${place.digest === undefined ? '' : ` ${place.digest}`}`;
}
