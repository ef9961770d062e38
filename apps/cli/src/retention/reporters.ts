import type { InUseReporter } from '@waybill/contracts/http';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { exitStatus } from '../output/exit-status.js';
import { drawTable } from '../output/table.js';
import type { WhyOptions } from './policies.js';

/** Who reports what runs somewhere, and who is silent; gives the exit status. */
export async function listReporters(
  api: WaybillApi,
  { limit, json }: { readonly limit: number; readonly json: boolean },
  output: Output,
): Promise<number> {
  const page = await api.retention.reporters(limit);
  if (json) output.json(page);
  else if (page.reporters.length === 0) output.line('nobody reports what runs');
  else {
    output.line(drawTable(['reporter', 'kind', 'state', 'digests', 'last report', 'covers'], page.reporters.map(rowOf)));
    if (page.next !== undefined) output.line('not all are shown: see --limit');
  }
  return exitStatus.succeeded;
}

/** Says that a reporter is gone for good; gives the exit status. */
export async function retireReporter(
  api: WaybillApi,
  name: string,
  { reason, json }: Required<WhyOptions>,
  output: Output,
): Promise<number> {
  const reporter = await api.retention.retireReporter(name, { reason });
  if (json) output.json(reporter);
  else output.line(`reporter ${name} is retired: its silence means nothing until it reports again`);
  return exitStatus.succeeded;
}

function rowOf({ name, kind, state, digests, lastReportAt, covers }: InUseReporter): (string | number)[] {
  return [name, kind, state, digests, lastReportAt, `${covers.registries.join(' ')} / ${covers.repositories.join(' ')}`];
}
