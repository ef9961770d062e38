import { ContentError, type Digest, isManifestMediaType, type Manifest, type RepositoryName, type Tag } from '@waybill/oci-model';
import { type Blindness, blindnessOf, type RegistryReader, type RepositoryReader } from '@waybill/promotion';

/** What a look found. Whatever goes wrong is a reason not to know, and never absence. */
export type Sight<Found> =
  { readonly kind: 'found'; readonly found: Found } | { readonly kind: 'unknown'; readonly reason: Blindness; readonly detail: string };

export interface PlaceToLookAt {
  readonly registry: string;
  readonly repository: RepositoryName;
  readonly tags: readonly Tag[];
}

/** What is looked for, as far as it is known beforehand. */
export interface Sought {
  readonly digest: Digest;
  readonly mediaType?: string | undefined;
  readonly size?: number | undefined;
}

export interface SeenPlace {
  /** Whether it is there. */
  readonly content: Sight<boolean>;
  /** What the known tags name now; undefined for nothing. */
  readonly tags: ReadonlyMap<Tag, Sight<Digest | undefined>>;
}

export interface Look {
  /** Ends the look: what has not answered by then is not known. */
  readonly deadline: AbortSignal;
  /** Given each manifest that was read. */
  readonly onManifest: (manifest: Manifest) => void;
}

/** Looks for a digest in one repository, and at the tags that are known to name it there. Never rejects for what a registry does. */
export async function lookAtPlace(reader: RegistryReader, place: PlaceToLookAt, sought: Sought, look: Look): Promise<SeenPlace> {
  const repository = reader.repository(place.registry, place.repository);
  const [content, ...tags] = await Promise.all([
    sight(() => isThere(repository, sought, look), look.deadline),
    ...place.tags.map(async (tag) => [tag, await sight(() => repository.resolveTag(tag, look.deadline), look.deadline)] as const),
  ]);
  return { content, tags: new Map(tags) };
}

/** Read rather than asked for with HEAD, which registries answer for what they have lost. */
async function isThere(repository: RepositoryReader, { digest, mediaType, size }: Sought, look: Look): Promise<boolean> {
  if (mediaType !== undefined && size !== undefined && !isManifestMediaType(mediaType)) {
    return repository.probeBlob({ digest, size }, look.deadline);
  }
  try {
    look.onManifest(await repository.readManifest(digest, look.deadline));
    return true;
  } catch (error) {
    if (error instanceof ContentError && error.code === 'not-found') return false;
    throw error;
  }
}

async function sight<Found>(ask: () => Promise<Found>, deadline: AbortSignal): Promise<Sight<Found>> {
  try {
    return { kind: 'found', found: await ask() };
  } catch (error) {
    if (!(error instanceof ContentError)) throw error;
    const reason = blindnessOf(error, deadline);
    // The error tells only that we gave up.
    return { kind: 'unknown', reason, detail: reason === 'deadline' ? 'no answer in the time that one request has' : error.message };
  }
}
