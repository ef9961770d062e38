import { ContentError, type ContentErrorCode } from '@waybill/oci-model';
import type { Problem } from './ports.js';
import { RecordsError } from './records-error.js';

/** Trouble that every other request would meet too: nothing more is asked of a repository after it. */
const ofTheRegistry: readonly ContentErrorCode[] = ['unreachable', 'timeout', 'unauthorized', 'denied', 'rate-limited', 'aborted'];

/** No message of ours is longer; what a registry says can be. In UTF-16 code units. */
const longestMessage = 2_000;

export function isOfTheRegistry(error: unknown): boolean {
  if (error instanceof RecordsError) return false;
  return !(error instanceof ContentError) || ofTheRegistry.includes(error.code);
}

export function problemOf({ code, message }: ContentError | RecordsError): Problem {
  return { code, message: message.slice(0, longestMessage) };
}

/** What a look may end with: trouble at the registry, or with what is known of this repository. All else is thrown on. */
export function lookTrouble(error: unknown, signal: AbortSignal): ContentError | RecordsError {
  return !signal.aborted && error instanceof RecordsError ? error : contentTrouble(error, signal);
}

/** Trouble at the registry. Our own end, and whatever is not its fault, is thrown on. */
export function contentTrouble(error: unknown, signal: AbortSignal): ContentError {
  if (signal.aborted || !(error instanceof ContentError)) throw error;
  return error;
}
