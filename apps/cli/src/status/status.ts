import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { exitStatus, exitStatusOf } from '../output/exit-status.js';
import { drawTable } from '../output/table.js';
import { printPromotion } from '../promote/print-promotion.js';

export interface StatusOptions {
  readonly limit: number;
  readonly json: boolean;
}

/** One promotion with its targets, or the newest ones; gives the exit status. */
export async function status(api: WaybillApi, id: string | undefined, options: StatusOptions, output: Output): Promise<number> {
  if (id === undefined) {
    await list(api, options, output);
    return exitStatus.succeeded;
  }
  const promotion = await api.promotion(id);
  if (options.json) output.json(promotion);
  else printPromotion(promotion, output);
  return exitStatusOf(promotion);
}

async function list(api: WaybillApi, { limit, json }: StatusOptions, output: Output): Promise<void> {
  const page = await api.promotions(limit);
  if (json) {
    output.json(page);
    return;
  }
  if (page.promotions.length === 0) {
    output.line('no promotion was requested yet');
    return;
  }
  const rows = page.promotions.map(({ id, path, state, requestedAt, reason }) => [id, path, state, requestedAt, reason ?? '']);
  output.line(drawTable(['promotion', 'path', 'state', 'requested', 'reason'], rows));
  if (page.next !== undefined) output.line(`only the newest are shown: see --limit`);
}
