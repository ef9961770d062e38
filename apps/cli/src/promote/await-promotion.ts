import { setTimeout as wait } from 'node:timers/promises';
import type { Promotion } from '@waybill/contracts/http';
import { ApiProblem } from '../api-client/api-problem.js';
import type { WaybillApi } from '../api-client/waybill-api.js';

const pollMs = 200;

export interface AwaitOptions {
  readonly onUpdate: (promotion: Promotion) => void;
  /** Called once for each time that the API goes away. */
  readonly onSilence: (problem: ApiProblem) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Follows a promotion until no target, replicas included, has anything left to do; an API that is away for a moment is asked again. */
export async function awaitPromotion(api: WaybillApi, id: string, { onUpdate, onSilence, signal }: AwaitOptions): Promise<Promotion> {
  let isSilent = false;
  for (;;) {
    const found = await look(api, id);
    if (found instanceof ApiProblem) {
      if (!isSilent) onSilence(found);
      isSilent = true;
    } else {
      isSilent = false;
      onUpdate(found);
      if (found.settled) return found;
    }
    await wait(pollMs, undefined, { signal });
  }
}

async function look(api: WaybillApi, id: string): Promise<Promotion | ApiProblem> {
  try {
    return await api.promotion(id);
  } catch (error) {
    if (error instanceof ApiProblem && error.retryable) return error;
    throw error;
  }
}
