import type { Draft } from '../draft.js';
import { type Finding, quoted } from '../finding.js';
import { parseRegistryUrl } from '../registry-url.js';

interface Standing {
  readonly name: string;
  readonly prefix: string;
}

/** No repository belongs to two registries: at one origin, no prefix is equal to another or below it. */
export function overlappingRegistries(draft: Draft): Finding[] {
  const found: Finding[] = [];
  const atOrigin = new Map<string, Standing[]>();
  for (const [name, { url, prefix = '' }] of Object.entries(draft.registries)) {
    const address = url === undefined ? undefined : parseRegistryUrl(url);
    if (!address?.ok) continue;
    const neighbours = atOrigin.get(address.hostAndPort) ?? [];
    const other = neighbours.find((neighbour) => contains(neighbour.prefix, prefix) || contains(prefix, neighbour.prefix));
    if (other !== undefined) {
      found.push({
        code: 'registries-overlap',
        message: `registries ${quoted(other.name)} and ${quoted(name)} share repositories: ${described(other.prefix, prefix)}`,
        path: ['registries', name],
        at: 'key',
      });
    }
    atOrigin.set(address.hostAndPort, [...neighbours, { name, prefix }]);
  }
  return [...found, ...sharedLocalPorts(draft)];
}

function contains(outer: string, inner: string): boolean {
  return outer === '' || inner === outer || inner.startsWith(`${outer}/`);
}

function described(one: string, other: string): string {
  if (one === other) return one === '' ? 'both are all of the same origin' : `both are ${quoted(one)} at the same origin`;
  const [outer, inner] = contains(one, other) ? [one, other] : [other, one];
  return outer === '' ? `one is all of the origin that the other has ${quoted(inner)} of` : `${quoted(inner)} lies below ${quoted(outer)}`;
}

function sharedLocalPorts(draft: Draft): Finding[] {
  const found: Finding[] = [];
  const taken = new Map<number, string>();
  for (const [name, { local }] of Object.entries(draft.registries)) {
    if (local === undefined || local === true || local.port === undefined) continue;
    const other = taken.get(local.port);
    if (other === undefined) taken.set(local.port, name);
    else {
      found.push({
        code: 'local-port-taken',
        message: `port ${local.port} is already taken by registry ${quoted(other)}`,
        path: ['registries', name, 'local', 'port'],
      });
    }
  }
  return found;
}
