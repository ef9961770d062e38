import type { Hold } from '@waybill/contracts/http';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { exitStatus } from '../output/exit-status.js';
import { drawTable } from '../output/table.js';
import type { HeldArtifact } from './held-artifact.js';
import type { WhyOptions } from './policies.js';

export interface HoldOptions {
  readonly reason: string;
  readonly expires?: Date;
  readonly json: boolean;
}

/** Keeps retention from removing something; gives the exit status. */
export async function placeHold(
  api: WaybillApi,
  on: HeldArtifact,
  { reason, expires, json }: HoldOptions,
  output: Output,
): Promise<number> {
  const hold = await api.retention.placeHold({ ...on, reason, ...(expires === undefined ? {} : { expiresAt: expires.toISOString() }) });
  if (json) output.json(hold);
  else output.line(`${heldBy(hold)} is held: end it with waybill retention release ${hold.id}`);
  return exitStatus.succeeded;
}

/** Ends a hold; gives the exit status. */
export async function releaseHold(api: WaybillApi, id: string, { reason, json }: WhyOptions, output: Output): Promise<number> {
  const hold = await api.retention.releaseHold(id, reason === undefined ? {} : { reason });
  if (json) output.json(hold);
  else output.line(`${heldBy(hold)} is no longer held by ${id}`);
  return exitStatus.succeeded;
}

export interface ListHoldsOptions {
  readonly history: boolean;
  readonly limit: number;
  readonly json: boolean;
}

/** The holds that hold, or those too that have ended; gives the exit status. */
export async function listHolds(api: WaybillApi, { history, limit, json }: ListHoldsOptions, output: Output): Promise<number> {
  const page = await api.retention.holds(limit, history ? 'all' : 'open');
  if (json) output.json(page);
  else if (page.holds.length === 0) output.line(history ? 'nothing was held yet' : 'nothing is held');
  else {
    output.line(drawTable(['hold', 'on', 'since', 'until', 'reason'], page.holds.map(rowOf)));
    if (page.next !== undefined) output.line('only the newest are shown: see --limit');
  }
  return exitStatus.succeeded;
}

function rowOf(hold: Hold): string[] {
  const { id, placedAt, releasedAt, expiresAt, reason } = hold;
  return [id, heldBy(hold), placedAt, releasedAt ?? expiresAt ?? '–', reason];
}

/** As it would be written to hold it again. */
function heldBy({ registry = '*', repository, tag, digest }: Pick<Hold, 'registry' | 'repository' | 'tag' | 'digest'>): string {
  if (repository === undefined) return registry === '*' ? (digest ?? '') : `${digest ?? ''} at ${registry}`;
  return `${registry}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}
