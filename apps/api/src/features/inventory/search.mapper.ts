import type { SearchResults } from '@waybill/contracts/http';
import type { FoundArtifact, FoundTag } from '@waybill/persistence';
import { toFacts } from '../../http/manifest-facts-view.js';

/** Names of registries, by id. */
export type RegistryNames = ReadonlyMap<string, string>;

export function toFoundTag(row: FoundTag, names: RegistryNames): SearchResults['tags'][number] {
  const { registryId, repository, state, tag, digest, mediaType, taggedAt, source } = row;
  return {
    ...{ registry: nameOf(names, registryId), repository, state, tag, digest },
    ...(mediaType === undefined ? {} : { mediaType }),
    ...{ taggedAt: taggedAt.toISOString(), source },
  };
}

export function toFoundArtifact(row: FoundArtifact, names: RegistryNames): SearchResults['artifacts'][number] {
  const { digest, mediaType, size, facts, places, hasMorePlaces } = row;
  return {
    ...{ digest, mediaType, size },
    ...(facts === undefined ? {} : { facts: toFacts(facts) }),
    places: places.map(({ registryId, repository, tags }) => ({ registry: nameOf(names, registryId), repository, tags: [...tags] })),
    morePlaces: hasMorePlaces,
  };
}

/** Only registries that have a name are searched. */
export function nameOf(names: RegistryNames, registryId: string): string {
  const name = names.get(registryId);
  if (name === undefined) throw new Error(`registry ${registryId} was found and not searched`);
  return name;
}
