import type { ContentError } from '@waybill/oci-model';

/** Why a registry does not say whether something is there. An error is never absence. */
export type Blindness = 'unreachable' | 'unavailable' | 'unauthorized' | 'rate-limited' | 'deadline' | 'broken-answer';

/** What an error of a look at a registry means; after the deadline everything means that time was up. */
export function blindnessOf({ code }: ContentError, deadline: AbortSignal): Blindness {
  if (deadline.aborted) return 'deadline';
  switch (code) {
    case 'unauthorized':
    case 'denied':
      return 'unauthorized';
    case 'unreachable':
    case 'unavailable':
    case 'rate-limited':
      return code;
    case 'timeout':
    case 'aborted':
      return 'deadline';
    default:
      return 'broken-answer';
  }
}
