import type { Digest } from '@waybill/oci-model';
import { pathNamed, type Topology } from '@waybill/topology';
import type { Intent } from '../intent.js';
import type { ObservedTarget } from './observe-targets.js';
import type { PlannedItem } from './plan-items.js';

/** An item whose digest is pinned and whose targets have been looked at. */
export interface ResolvedItem {
  readonly source: PlannedItem['source'];
  readonly digest: Digest;
  readonly mediaType: string;
  readonly targets: readonly ObservedTarget[];
}

/** What approvals would bind to, from what was resolved. */
export function buildIntent(topology: Topology, revision: number, pathName: string, items: readonly ResolvedItem[]): Intent {
  const path = pathNamed(topology, pathName);
  return {
    version: 1,
    revision,
    path: { name: path.name, from: path.from, to: path.to },
    items: items.map((item) => ({
      source: {
        registry: item.source.registry,
        repository: item.source.repository,
        ...(item.source.tag === undefined ? {} : { tag: item.source.tag }),
      },
      digest: item.digest,
      targets: item.targets.map(({ registry, repository, requirement, tags }) => ({ registry, repository, requirement, tags })),
    })),
  };
}
