import type { CrawledRegistry } from '@waybill/persistence';
import { crawlIntervals, type Registry, type Topology } from '@waybill/topology';

/**
 * The registries of a topology that are crawled, and from where: one without a location is looked at from the first.
 * A cache fetches what it is asked for, and an upstream is not ours and counts requests: neither is crawled.
 */
export function crawledRegistries({ registries, locations }: Topology): CrawledRegistry[] {
  const [anywhere] = Object.keys(locations);
  return Object.values(registries).flatMap((registry) => {
    const location = registry.location ?? anywhere;
    return location === undefined || isForeign(registry) ? [] : [{ name: registry.name, location, ...crawlIntervals(registry) }];
  });
}

function isForeign({ role }: Registry): boolean {
  return role === 'cache' || role === 'upstream';
}
