import { setTimeout as wait } from 'node:timers/promises';
import type { Promotion } from '@waybill/contracts/http';
import { ApiProblem } from '../api-client/api-problem.js';
import type { WaybillApi } from '../api-client/waybill-api.js';

const pollMs = 200;

export interface AwaitOptions {
  /** Wait for best-effort targets too, not only until the promotion's state is final. */
  readonly settled: boolean;
  readonly onUpdate?: (promotion: Promotion) => void;
  readonly signal?: AbortSignal;
}

const unfinished: readonly Promotion['state'][] = ['requested', 'waiting', 'running'];

/** Follows a promotion to its end; an API that is away for a moment is asked again. */
export async function awaitPromotion(api: WaybillApi, id: string, { settled, onUpdate, signal }: AwaitOptions): Promise<Promotion> {
  for (;;) {
    const promotion = await look(api, id, signal);
    if (promotion !== undefined) onUpdate?.(promotion);
    if (promotion !== undefined && (settled ? promotion.settled : !unfinished.includes(promotion.state))) return promotion;
    await wait(pollMs, undefined, { signal });
  }
}

async function look(api: WaybillApi, id: string, signal: AbortSignal | undefined): Promise<Promotion | undefined> {
  try {
    return await api.promotion(id, signal);
  } catch (error) {
    if (error instanceof ApiProblem && error.retryable) return undefined;
    throw error;
  }
}
