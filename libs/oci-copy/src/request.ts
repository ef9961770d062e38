import { setTimeout as sleep } from 'node:timers/promises';
import type { LimitFunction } from 'p-limit';
import { abortedBy, type CopyError, copyErrorFrom, type Place } from './copy-error.js';
import type { Settings } from './options.js';

/** What one request to a store is made under. */
export interface RequestContext {
  readonly settings: Settings;
  /** Ends the request: the caller's signal, or that of a target which has failed. */
  readonly signal: AbortSignal;
  /** Slots that the request competes for; without it, it goes at once. */
  readonly limit?: LimitFunction;
  /** Further tries after a failure that may pass. Stores repeat small reads themselves. */
  readonly retries: number;
}

/**
 * Makes a request. How long one may take is the store's to say: only it can tell its own
 * queue from a silent registry. The slot is given back before a wait, so a slow store does
 * not hold others up. Rejects with CopyError alone.
 */
export async function request<T>(place: Place, context: RequestContext, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { settings, signal, limit, retries } = context;
  const once = () => sendOnce(place, signal, call);
  for (let failures = 1; ; failures += 1) {
    try {
      return await (limit === undefined ? once() : limit(once));
    } catch (thrown) {
      const error = thrown as CopyError;
      const delay = retryDelay(error, failures, { ...settings, retries });
      if (delay === undefined) throw error;
      await pause(delay, signal);
    }
  }
}

/**
 * Milliseconds to wait before another try after `error`, the `failures`th in a row;
 * undefined when the engine should not try again itself.
 */
export function retryDelay(
  error: CopyError,
  failures: number,
  patience: Pick<Settings, 'retries' | 'retryDelayMs' | 'maxRetryDelayMs'>,
): number | undefined {
  // Wrong bytes may be a broken transfer, but twice in a row they are the content.
  const corrupt = error.code === 'source-corrupt';
  const retries = corrupt ? Math.min(1, patience.retries) : patience.retries;
  if (failures > retries || !(corrupt || mayPass(error))) return undefined;
  const asked = error.retryAfterMs ?? 0;
  return asked > patience.maxRetryDelayMs ? undefined : Math.max(asked, patience.retryDelayMs(failures));
}

/** Waits; ends early, without rejecting, when `signal` comes: what follows looks at it anyway. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

function mayPass(error: CopyError): boolean {
  // A target that went silent has held the others up once; it is left to the caller to come back to it.
  if (error.code === 'hook-failed' || (error.code === 'stalled' && error.side === 'target')) return false;
  return error.retryable;
}

async function sendOnce<T>(place: Place, signal: AbortSignal, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  if (isAborted(signal)) throw abortedBy(signal, place.operation);
  try {
    return await call(signal);
  } catch (cause) {
    throw isAborted(signal) ? abortedBy(signal, place.operation) : copyErrorFrom(cause, place);
  }
}

function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
