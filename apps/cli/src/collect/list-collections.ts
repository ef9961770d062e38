import type { Collection } from '@waybill/contracts/http';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { exitStatus } from '../output/exit-status.js';
import { formatBytes } from '../output/format.js';
import { drawTable } from '../output/table.js';

export interface ListCollectionsOptions {
  readonly limit: number;
  readonly json: boolean;
}

/** The newest collections of a registry, or how it gives space back by itself; gives the exit status. */
export async function listCollections(
  api: WaybillApi,
  registry: string,
  { limit, json }: ListCollectionsOptions,
  output: Output,
): Promise<number> {
  const page = await api.collections(registry, limit);
  if (json) {
    output.json(page);
    return exitStatus.succeeded;
  }
  if (page.advice !== undefined) output.line(`Waybill does not run ${registry}, and collects nothing there; ${page.advice}`);
  else if (page.collections.length === 0) output.line(`${registry} was not collected yet`);
  if (page.collections.length > 0) {
    output.line(drawTable(['collection', 'asked for', 'state', 'given back', 'reason'], page.collections.map(rowOf)));
  }
  if (page.next !== undefined) output.line('only the newest are shown: see --limit');
  return exitStatus.succeeded;
}

function rowOf({ id, requestedAt, state, dryRun, reclaimedBytes, reason, error }: Collection): string[] {
  const given = reclaimedBytes === undefined ? '–' : `${dryRun ? 'at most ' : ''}${formatBytes(reclaimedBytes)}`;
  return [id, requestedAt, dryRun ? `${state} (dry run)` : state, given, error === undefined ? reason : `${reason}: ${error.message}`];
}
