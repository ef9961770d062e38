import { WaybillError } from '@waybill/kernel';

/** Why nothing can be planned. Whoever catches one deletes nothing of what it was about. */
export type RetentionErrorCode =
  | 'policy-invalid' // a policy says what no planner may guess about
  | 'pattern-invalid' // a glob, expression or range of a policy does not compile
  | 'snapshot-invalid' // a repository's snapshot contradicts itself
  | 'plans-out-of-order'; // plans were not hashed by registry, then repository

/** Raised by the planner; never retryable, since planning is pure. */
export class RetentionError extends WaybillError<RetentionErrorCode> {}
