import type { Draft } from '../draft.js';
import { type Finding, quoted } from '../finding.js';

/** A proxy resolves names itself, so that pinned addresses count only for what is reached without it. */
export function pinnedAddresses(draft: Draft): Finding[] {
  return Object.entries(draft.registries).flatMap(([name, { resolve, proxy }]): Finding[] => {
    const hasExceptions = proxy === 'environment' || (typeof proxy === 'object' && Object.hasOwn(proxy, 'except'));
    if (resolve === undefined || proxy === undefined || hasExceptions) return [];
    const message = `"resolve" has no effect: the proxy of registry ${quoted(name)} resolves all names; leave hosts to us with "except"`;
    return [{ code: 'resolve-behind-proxy', message, path: ['registries', name, 'resolve'], at: 'key' }];
  });
}
