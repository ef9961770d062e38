import type { Provenance } from '@waybill/contracts/http';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { exitStatus } from '../output/exit-status.js';
import { provenanceTable } from '../output/provenance-table.js';

type ProvenanceEntry = Provenance['entries'][number];

/** The record of a digest, as far as the key may read it: what was done with it and decided about it, in order. */
export async function showProvenance(
  api: WaybillApi,
  digest: string,
  { json }: { readonly json: boolean },
  output: Output,
): Promise<number> {
  const entries: ProvenanceEntry[] = [];
  for await (const entry of api.provenance(digest)) entries.push(entry);
  if (json) output.json({ digest, entries });
  else if (entries.length === 0) output.line(`nothing is recorded about ${digest} that this key may read`);
  else output.line(provenanceTable(entries));
  return exitStatus.succeeded;
}
