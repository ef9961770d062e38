import type { StoredAnswer } from '@waybill/persistence';
import { ApiError } from './api-error.js';

/**
 * The answer of work that was done under a claim.
 * @throws ApiError `request-in-flight` where nothing was done, since a repetition of the request has the claim by now
 */
export function takenOver(answer: StoredAnswer | undefined): StoredAnswer {
  if (answer !== undefined) return answer;
  throw new ApiError('a repetition of this request took over', { code: 'request-in-flight', retryAfterMs: 1_000 });
}
