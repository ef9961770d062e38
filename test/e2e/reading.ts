import type { Promotion, Provenance } from '@waybill/contracts/http';
import type { WaybillApi } from '../../apps/cli/src/api-client/waybill-api.js';
import { until } from './poll.js';

export type PromotionTarget = Promotion['items'][number]['targets'][number];
type RecordEntry = Provenance['entries'][number];

/** The first item at one of its targets. */
export function targetOf({ items }: Promotion, registry: string): PromotionTarget | undefined {
  return items[0]?.targets.find((target) => target.registry === registry);
}

/** How the targets of all items ended, by registry. */
export function outcomesOf({ items }: Promotion): Record<string, string | undefined> {
  return Object.fromEntries(items.flatMap(({ targets }) => targets.map(({ registry, outcome }) => [registry, outcome])));
}

/** What the record says about a digest, once all of it is linked into the chain. */
export function recordOf(api: WaybillApi, digest: string): Promise<RecordEntry[]> {
  return until(`the chained record of ${digest}`, async () => {
    const entries: RecordEntry[] = [];
    for await (const entry of api.provenance(digest)) entries.push(entry);
    return entries.every(({ chain }) => chain !== undefined) ? entries : undefined;
  });
}
