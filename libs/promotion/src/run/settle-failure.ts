import { WaybillError } from '@waybill/kernel';
import { isCancelled, isLeaseLost, isPaused, PromotionError } from '../promotion-error.js';
import type { CopiedBytes } from './ports.js';
import { readBackEffects } from './read-back-effects.js';
import { retryDelay } from './retry-policy.js';
import type { RunContext } from './run-context.js';
import type { TargetRun } from './run.js';

export const noBytes: CopiedBytes = { bytesCopied: 0, bytesMounted: 0, bytesSkipped: 0 };

/** A passing failure keeps the target for another attempt while there are any; every other ends it. A pause keeps it too. */
export async function settleFailure(run: RunContext, target: TargetRun, error: unknown, bytes: CopiedBytes): Promise<void> {
  if (isLeaseLost(error) || isCancelled(error)) throw error;
  run.signal.throwIfAborted();
  const { journal, retry } = run.ports;
  if (isPaused(error)) return journal.holdBack(target);
  const failure = typed(error, 'promote');
  const attempts = target.isWaiting ? target.attempts : target.attempts + 1;
  const delay = failure.retryable ? retryDelay(retry, attempts, failure.retryAfterMs) : undefined;
  if (delay === undefined) await endFailed(run, target, failure, bytes);
  else {
    await journal.retryLater(target, failure, delay, bytesOf(bytes));
    run.ports.watch?.postponed(target, failure);
  }
}

/** Ends the target as failed; what was begun there is settled from what it holds now. */
export async function endFailed(run: RunContext, target: TargetRun, error: WaybillError, bytes: CopiedBytes = noBytes): Promise<void> {
  const readBack = await readBackEffects(run, target);
  await run.ports.journal.finish(target, { ...bytesOf(bytes), outcome: 'failed', error, ...(readBack.length > 0 ? { readBack } : {}) });
}

/** What is not ours is a defect or the machine's trouble: it is shown, and not tried again for ever. */
export function typed(error: unknown, operation: string): WaybillError {
  if (isWaybillError(error)) return error;
  return new PromotionError('unexpected error: see the cause', { code: 'unexpected', operation, retryable: true, cause: error });
}

function isWaybillError(error: unknown): error is WaybillError {
  return error instanceof WaybillError;
}

/** A port that broke its contract: trying again would not mend it. */
export function defect(message: string, operation: string): PromotionError {
  return new PromotionError(message, { code: 'unexpected', operation });
}

export function bytesOf(bytes: CopiedBytes): CopiedBytes {
  return { bytesCopied: bytes.bytesCopied, bytesMounted: bytes.bytesMounted, bytesSkipped: bytes.bytesSkipped };
}
