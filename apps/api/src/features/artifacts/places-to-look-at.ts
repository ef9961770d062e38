import type { RepositoryName } from '@waybill/oci-model';
import type { KnownPlace } from '@waybill/persistence';
import type { Registry, Topology } from '@waybill/topology';

/** A repository to look in, and what is on record of the digest there. */
export interface Candidate {
  readonly registry: Registry;
  readonly repository: RepositoryName;
  readonly known: KnownPlace | undefined;
}

/** Where nothing is on record, so many of the repositories that are known elsewhere are tried. */
const maxTried = 3;

export interface PlacesOptions {
  readonly topology: Topology;
  /** Names of registries by their ids, those of the topology alone. */
  readonly nameOf: ReadonlyMap<string, string>;
  /** A repository to look in everywhere. */
  readonly repository: RepositoryName | undefined;
  /** Nothing else is on record, neither before these places nor after. */
  readonly isWhole: boolean;
  readonly isFirst: boolean;
}

/**
 * The known places, and beside them those that may be worth a look: the named repository everywhere, else, where
 * nothing is on record, the repositories of the other registries. Looking into a pull-through cache would fill it and
 * looking into an upstream costs its quota, so neither is tried on a guess, and a cache not even when asked for.
 */
export function placesToLookAt(known: readonly KnownPlace[], options: PlacesOptions): Candidate[] {
  const { topology, nameOf, repository } = options;
  const registries = Object.values(topology.registries);
  const found = known.flatMap((place): Candidate[] => {
    const registry = topology.registries[nameOf.get(place.registryId) ?? ''];
    return registry === undefined ? [] : [{ registry, repository: place.repository, known: place }];
  });
  const isKnown = (registry: Registry, name?: RepositoryName): boolean =>
    found.some((one) => one.registry.name === registry.name && (name === undefined || one.repository === name));
  if (!options.isFirst) return found;
  if (repository !== undefined) {
    const asked = registries.filter((registry) => registry.role !== 'cache' && !isKnown(registry, repository));
    return [...found, ...asked.map((registry) => ({ registry, repository, known: undefined }))];
  }
  if (!options.isWhole) return found;
  const names = [...new Set(found.map((one) => one.repository))].slice(0, maxTried);
  const blank = registries.filter((registry) => !['cache', 'upstream'].includes(registry.role) && !isKnown(registry));
  return [...found, ...blank.flatMap((registry) => names.map((name) => ({ registry, repository: name, known: undefined })))];
}
