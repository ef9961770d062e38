import type { ContentReader, RepositoryName, TagStore } from '@waybill/oci-model';

/**
 * Port: how the API looks at registries: reading only, each call within the deadline
 * that the signal given to it sets. Rejects with ContentError.
 */
export interface RegistryReader {
  repository(registry: string, repository: RepositoryName): RepositoryReader;
  /** Names in the registry's catalogue, for near names; may be incomplete. */
  repositories(registry: string, signal: AbortSignal): AsyncIterable<RepositoryName>;
  /** Do the two stand at one origin, so that blobs can be mounted from one to the other? */
  shareOrigin(one: string, other: string): boolean;
}

export type RepositoryReader = Pick<ContentReader, 'readManifest' | 'probeBlob'> & Pick<TagStore, 'resolveTag' | 'listTags'>;
