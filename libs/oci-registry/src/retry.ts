import { setTimeout as delay } from 'node:timers/promises';
import { ContentError } from '@waybill/oci-model';
import { abortedError } from './exchange.js';

const firstPauseMs = 100;
/** Longer waits are for whoever plans the work, not for a call that someone waits for. */
const longestPauseMs = 5_000;
/** The `operation` of whatever goes wrong between us and a token server. */
export const tokenOperation = 'get token';

export interface RetryContext {
  readonly connection: { readonly host: string; readonly retries: number };
  readonly operation: string;
  readonly signal?: AbortSignal | undefined;
}

/** Repeats a small read after a retryable error, with short random pauses or those that the registry asks for. */
export async function retrying<T>(context: RetryContext, read: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await read();
    } catch (error) {
      const pause = wasRetried(error, context) ? undefined : pauseAfter(error, attempt);
      if (pause === undefined || attempt >= context.connection.retries) throw error;
      await sleep(pause, context);
    }
  }
}

/** A token server that had no token for a request was asked more than once already. */
function wasRetried(error: unknown, { operation }: RetryContext): boolean {
  return operation !== tokenOperation && error instanceof ContentError && error.operation === tokenOperation;
}

function pauseAfter(error: unknown, attempt: number): number | undefined {
  if (!(error instanceof ContentError) || !error.retryable) return undefined;
  const jitter = 0.5 + Math.random(); // so that many who failed together do not return together
  const pause = firstPauseMs * 3 ** attempt * jitter;
  if (error.retryAfterMs === undefined) return pause;
  return error.retryAfterMs > longestPauseMs ? undefined : error.retryAfterMs + pause;
}

/** Waits; rejects with `aborted` when the signal fires. */
export async function sleep(ms: number, context: RetryContext): Promise<void> {
  try {
    await delay(ms, undefined, context.signal === undefined ? {} : { signal: context.signal });
  } catch {
    throw abortedError(context.connection.host, context);
  }
}
