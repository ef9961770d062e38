import { setTimeout as wait } from 'node:timers/promises';
import type { Promotion, Provenance } from '@waybill/contracts/http';
import { formatArtifactReference } from '@waybill/oci-model';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { promotionNotes, promotionTable } from '../output/promotion-table.js';
import { provenanceTable } from '../output/provenance-lines.js';
import { follow } from '../promote/promote.js';
import type { DemonstrationPlan } from './demonstration-image.js';

/** How long the sequencer is waited for before the record is shown as it stands. */
const chainPatienceMs = 5_000;
const chainPollMs = 100;

/** Promotes the plan's image through the API and shows what came of it. */
export async function demonstrate(api: WaybillApi, plan: DemonstrationPlan, output: Output, signal: AbortSignal): Promise<Promotion> {
  const source = formatArtifactReference(plan.reference);
  output.line();
  output.line(`Promoting ${source} along path "${plan.path.name}" (${plan.path.from} → ${plan.path.to.join(', ')})`);
  const accepted = await api.createPromotion({ path: plan.path.name, items: [{ source }], reason: 'demonstration by waybill up' });
  const promotion = await follow(api, accepted.id, output, signal);
  output.line();
  output.line(promotionTable(promotion));
  for (const note of promotionNotes(promotion)) output.line(note);
  output.line(`promotion ${promotion.id}: ${promotion.state}`);

  for (const item of promotion.items) {
    output.line();
    output.line(`Provenance of ${item.digest}`);
    output.line(provenanceTable(await chainedProvenance(api, item.digest, signal)));
  }
  return promotion;
}

/** The record's last entries are linked a moment after they were appended. */
async function chainedProvenance(api: WaybillApi, digest: string, signal: AbortSignal): Promise<Provenance> {
  const deadline = performance.now() + chainPatienceMs;
  for (;;) {
    const provenance = await api.provenance(digest);
    if (provenance.entries.every(({ chain }) => chain !== undefined) || performance.now() > deadline) return provenance;
    await wait(chainPollMs, undefined, { signal });
  }
}
