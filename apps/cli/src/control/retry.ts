import { randomUUID } from 'node:crypto';
import { ApiProblem } from '../api-client/api-problem.js';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { exitStatus, exitStatusOf } from '../output/exit-status.js';
import { type FollowOptions, followOrAsk } from '../promote/follow-or-ask.js';
import { printPromotion } from '../promote/print-promotion.js';

export interface RetryOptions extends FollowOptions {
  readonly reason?: string;
  readonly idempotencyKey?: string;
  readonly wait: boolean;
  readonly json: boolean;
}

/** Takes up what failed or was cancelled of a promotion; gives the exit status. */
export async function retry(api: WaybillApi, id: string, options: RetryOptions, output: Output): Promise<number> {
  const { reason, idempotencyKey: key = randomUUID(), wait, json } = options;
  const accepted = await api.retryPromotion(id, reason === undefined ? {} : { reason }, key).catch((error: unknown) => {
    if (error instanceof ApiProblem && error.retryable) {
      output.error(`the request may have been accepted: repeat it safely with --idempotency-key ${key}`);
    }
    throw error;
  });
  const promotion = wait ? await followOrAsk(api, id, options, output) : accepted;
  if (json) output.json(promotion);
  else if (wait) printPromotion(promotion, output);
  else output.line(`promotion ${id} is taken up again; follow it with: waybill status ${id}`);
  return wait ? exitStatusOf(promotion) : exitStatus.succeeded;
}
