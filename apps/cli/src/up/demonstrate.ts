import { setTimeout as wait } from 'node:timers/promises';
import type { Promotion, Provenance } from '@waybill/contracts/http';
import { formatArtifactReference } from '@waybill/oci-model';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { provenanceTable } from '../output/provenance-table.js';
import { followPromotion } from '../promote/follow-promotion.js';
import { printPromotion } from '../promote/print-promotion.js';
import type { DemonstrationPlan } from './demonstration-image.js';

type Entry = Provenance['entries'][number];

export interface Demonstrated {
  readonly promotion: Promotion;
  readonly provenance: readonly Entry[];
}

/** How long the sequencer is waited for before the record is shown as it stands. */
const chainPatienceMs = 5_000;
const chainPollMs = 100;
/** The record of a digest grows with every start; the newest entries are this run's. */
const shownEntries = 20;

/** Promotes the plan's image through the API and shows what came of it. */
export async function demonstrate(api: WaybillApi, plan: DemonstrationPlan, output: Output, signal: AbortSignal): Promise<Demonstrated> {
  const source = formatArtifactReference(plan.reference);
  output.line();
  output.line(`Promoting ${source} along path "${plan.path.name}" (${plan.path.from} → ${plan.path.to.join(', ')})`);
  const accepted = await api.createPromotion({ path: plan.path.name, items: [{ source }], reason: 'demonstration by waybill up' });
  const promotion = await follow(api, accepted.id, output, signal);
  output.line();
  printPromotion(promotion, output);

  const digests = [...new Set(promotion.items.map(({ digest }) => digest))];
  const provenance: Entry[] = [];
  for (const digest of digests) {
    const entries = await chainedProvenance(api, digest, signal);
    printProvenance(digest, entries, output);
    provenance.push(...entries);
  }
  return { promotion, provenance };
}

async function follow(api: WaybillApi, id: string, output: Output, signal: AbortSignal): Promise<Promotion> {
  try {
    return await followPromotion(api, id, output, signal);
  } catch (error) {
    if (signal.aborted) output.line(`Promotion ${id} is not finished; it goes on at the next start.`);
    throw error;
  }
}

function printProvenance(digest: string, entries: readonly Entry[], output: Output): void {
  const earlier = Math.max(entries.length - shownEntries, 0);
  output.line();
  output.line(`Provenance of ${digest}${earlier === 0 ? '' : `, without ${earlier} earlier entries`}`);
  output.line(provenanceTable(entries.slice(earlier)));
}

/** The record's last entries are linked a moment after they were appended. */
async function chainedProvenance(api: WaybillApi, digest: string, signal: AbortSignal): Promise<Entry[]> {
  const deadline = performance.now() + chainPatienceMs;
  for (;;) {
    const entries: Entry[] = [];
    for await (const entry of api.provenance(digest)) entries.push(entry);
    if (entries.every(({ chain }) => chain !== undefined) || performance.now() > deadline) return entries;
    await wait(chainPollMs, undefined, { signal });
  }
}
