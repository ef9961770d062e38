import type { PromotionList } from '@waybill/contracts/http';
import type { PromotionFilter, WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { exitStatus, exitStatusOf } from '../output/exit-status.js';
import { shortDigest } from '../output/format.js';
import { drawTable } from '../output/table.js';
import { type FollowOptions, followOrAsk } from '../promote/follow-or-ask.js';
import { printPromotion, printRequest } from '../promote/print-promotion.js';
import { whyNothing } from '../topology/near-names.js';
import { watchPromotions } from './watch-promotions.js';

/** Of a list: what its promotions have in common. */
export interface FilterOptions {
  readonly state?: string;
  readonly path?: string;
  readonly repository?: string;
  readonly digest?: string;
  readonly tag?: string;
  readonly by?: string;
  readonly since?: Date;
  readonly until?: Date;
}

export interface StatusOptions extends FilterOptions, FollowOptions {
  readonly limit: number;
  /** Follow it to its end; without one, tell what happens to all. */
  readonly watch?: boolean;
  readonly json: boolean;
}

/** One promotion with its targets, or the newest ones; gives the exit status. */
export async function status(api: WaybillApi, id: string | undefined, options: StatusOptions, output: Output): Promise<number> {
  if (id === undefined) {
    if (options.watch === true) return await watchPromotions(api, options, output);
    await list(api, options, output);
    return exitStatus.succeeded;
  }
  const promotion = options.watch === true ? await followOrAsk(api, id, options, output) : await api.promotion(id);
  if (options.json) output.json(promotion);
  else {
    printRequest(promotion, output);
    printPromotion(promotion, output);
  }
  return exitStatusOf(promotion);
}

async function list(api: WaybillApi, { limit, json, ...filter }: StatusOptions, output: Output): Promise<void> {
  const page = await api.promotions(limit, filterOf(filter));
  if (json) {
    output.json(page);
    return;
  }
  if (page.promotions.length === 0) {
    output.line(
      isFiltered(filter) ? 'no promotion that this key may read is like that' : 'no promotion that this key may read was requested yet',
    );
    for (const line of await whyNothing(api, filter)) output.line(line);
    return;
  }
  const rows = page.promotions.map((one) => [one.id, imageOf(one), one.path, one.state, one.requestedAt, one.reason ?? '']);
  output.line(drawTable(['promotion', 'image', 'path', 'state', 'requested', 'reason'], rows));
  if (page.next !== undefined) output.line(`only the newest are shown: see --limit`);
}

/** The first of its items, and how many there are beside. */
function imageOf({ image: { repository, tag, digest }, items }: PromotionList['promotions'][number]): string {
  const name = tag === undefined ? `${repository}@${shortDigest(digest)}` : `${repository}:${tag}`;
  return items === 1 ? name : `${name} and ${items - 1} more`;
}

function filterOf({ state, path, repository, digest, tag, by, since, until }: FilterOptions): PromotionFilter {
  return {
    ...(state === undefined ? {} : { state }),
    ...(path === undefined ? {} : { path }),
    ...(repository === undefined ? {} : { repository }),
    ...(digest === undefined ? {} : { digest }),
    ...(tag === undefined ? {} : { tag }),
    ...(by === undefined ? {} : { principal: by }),
    ...(since === undefined ? {} : { requestedAfter: since.toISOString() }),
    ...(until === undefined ? {} : { requestedBefore: until.toISOString() }),
  };
}

function isFiltered(filter: FilterOptions): boolean {
  return Object.keys(filterOf(filter)).length > 0;
}
