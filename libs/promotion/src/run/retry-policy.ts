/** When a target that failed for a passing reason is tried again. Milliseconds. */
export interface RetryPolicy {
  readonly maxAttempts: number;
  readonly baseMs: number;
  readonly maxMs: number;
}

/**
 * Exponential: base, 2 × base, 4 × base … up to the maximum; never earlier than the
 * registry asked for. Undefined when no attempt is left.
 */
export function retryDelay(policy: RetryPolicy, attempts: number, retryAfterMs = 0): number | undefined {
  if (attempts >= policy.maxAttempts) return undefined;
  return Math.max(Math.min(policy.baseMs * 2 ** (attempts - 1), policy.maxMs), retryAfterMs);
}
