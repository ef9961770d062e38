import type { PromotionEstimate } from '@waybill/contracts/http';
import type { WaybillApi } from '../api-client/waybill-api.js';
import { pausesInForce, registriesOf } from '../control/pauses-in-force.js';
import type { Output } from '../output/console-output.js';
import { exitStatus } from '../output/exit-status.js';
import { estimateNotes, estimateTable } from './estimate-table.js';
import { requestOf, type RequestOptions } from './request-of.js';

/** Says what a promotion would do, cost and meet, and asks for none; gives the exit status. */
export async function dryRun(
  api: WaybillApi,
  sources: readonly string[],
  options: RequestOptions & { readonly json: boolean },
  output: Output,
): Promise<number> {
  const estimate = await api.estimatePromotion(requestOf(sources, options));
  if (options.json) output.json(estimate);
  else printEstimate(estimate, await pausesInForce(api, { path: options.path, registries: registriesOf(estimate) }), output);
  return estimate.acceptable ? exitStatus.succeeded : exitStatus.failed;
}

function printEstimate(estimate: PromotionEstimate, pauses: readonly string[], output: Output): void {
  for (const { source, digest } of estimate.items) output.line(`${source.registry}/${source.repository}@${digest}`);
  output.line();
  output.line(estimateTable(estimate));
  for (const note of estimateNotes(estimate)) output.line(note);
  for (const pause of pauses) output.line(`it would wait: ${pause}`);
  output.line(estimate.acceptable ? 'nothing was requested' : 'nothing was requested, and a request would be refused');
}
