import type { Promotion } from '@waybill/contracts/http';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { exitStatus } from '../output/exit-status.js';
import { printPromotion } from '../promote/print-promotion.js';

export interface CancelOptions {
  readonly reason?: string;
  readonly json: boolean;
}

/** Stops what is left of a promotion; gives the exit status, which is that of the wish and not of the promotion. */
export async function cancel(api: WaybillApi, id: string, { reason, json }: CancelOptions, output: Output): Promise<number> {
  const promotion = await api.cancelPromotion(id, reason === undefined ? {} : { reason });
  if (json) output.json(promotion);
  else printCancelled(promotion, output);
  return exitStatus.succeeded;
}

function printCancelled(promotion: Promotion, output: Output): void {
  printPromotion(promotion, output);
  if (!promotion.settled) output.line(`workers are stopping what is under way; see: waybill status ${promotion.id}`);
}
