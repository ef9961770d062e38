import { WaybillError } from '@waybill/kernel';
import { messageOf, systemCodeOf } from './process/system-error.js';

/** Everything that can go wrong while a child server is being started, watched or stopped. */
export type EmbeddedErrorCode =
  | 'platform-unsupported'
  | 'binaries-missing'
  | 'wrong-major'
  | 'credentials-missing'
  | 'database-unusable'
  | 'already-running'
  | 'no-unprivileged-identity'
  | 'permission-denied'
  | 'disk-full'
  | 'port-unavailable'
  | 'start-failed'
  | 'start-timeout'
  | 'stop-failed'
  | 'exited'
  | 'registry-unknown' // this supervisor runs no registry of that name
  | 'collection-unsupported' // the registry's program cannot give space back
  | 'collection-failed'
  | 'collection-busy' // another collection of the registry is under way
  | 'control-unreachable' // no supervisor answers at the control socket
  | 'cancelled';

/** Raised by this library only. Messages say what the operator can do; none holds a password. */
export class EmbeddedError extends WaybillError<EmbeddedErrorCode> {}

const fileErrorCodes: Readonly<Record<string, EmbeddedErrorCode>> = {
  ENOSPC: 'disk-full',
  EDQUOT: 'disk-full',
  EACCES: 'permission-denied',
  EPERM: 'permission-denied',
  EROFS: 'permission-denied',
};

const advice: Partial<Record<EmbeddedErrorCode, string>> = {
  'disk-full': 'the disk is full: free some space and start again',
  'permission-denied': 'permission denied: give the folder to the user that runs waybill, or choose another folder',
  'port-unavailable': 'the port is taken by another program',
};

/** Wraps what the operating system said about `path` into a typed error. */
export function fromSystemError(cause: unknown, facts: { readonly operation: string; readonly path: string }): EmbeddedError {
  if (cause instanceof EmbeddedError) return cause;
  const systemCode = systemCodeOf(cause) ?? '';
  const code = fileErrorCodes[systemCode] ?? 'start-failed';
  const reason = advice[code] ?? messageOf(cause);
  return new EmbeddedError(`cannot ${facts.operation} at ${facts.path}: ${reason}`, {
    code,
    operation: facts.operation,
    details: { path: facts.path },
    cause,
  });
}

const outputPatterns: readonly (readonly [RegExp, EmbeddedErrorCode])[] = [
  [/No space left on device|Disk quota exceeded/i, 'disk-full'],
  [/Address already in use|could not create any TCP\/IP sockets/i, 'port-unavailable'],
  [/Permission denied|Read-only file system/i, 'permission-denied'],
];

/** Tells from the last lines that a child wrote why it went away. */
export function fromChildOutput(output: string, facts: { readonly operation: string; readonly exit: string }): EmbeddedError {
  const code = outputPatterns.find(([pattern]) => pattern.test(output))?.[1] ?? 'start-failed';
  const reason = advice[code] ?? 'read its last lines';
  return new EmbeddedError(`cannot ${facts.operation}: the program ended with ${facts.exit}; ${reason}\n${output.trimEnd()}`, {
    code,
    operation: facts.operation,
    retryable: code === 'port-unavailable',
    details: { exit: facts.exit },
  });
}
