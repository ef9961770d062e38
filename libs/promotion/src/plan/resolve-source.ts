import { ContentError, type Digest, formatArtifactReference, type Manifest, type RepositoryName, type Tag } from '@waybill/oci-model';
import { nearest } from '@waybill/topology';
import { PromotionError, type PromotionErrorCode } from '../promotion-error.js';
import type { PlannedItem } from './plan-items.js';
import type { RegistryReader } from './registry-reader.js';

/** How many names are looked at to propose near ones. */
const maxNamesRead = 5_000;

/**
 * Reads the manifest that an item's source names now; its digest is pinned from here on.
 * @throws PromotionError `tag-unknown`, `digest-unknown`, `repository-unknown` (with near names),
 *   `source-unreachable` (retryable), `source-refused`
 * @throws ContentError what else is wrong with the source's answer
 */
export async function resolveSource(reader: RegistryReader, item: PlannedItem, signal: AbortSignal): Promise<Manifest> {
  const repository = reader.repository(item.source.registry, item.source.repository);
  const reference: Digest | Tag | undefined = item.source.digest ?? item.source.tag;
  if (reference === undefined) throw unknown('tag-unknown', `${formatArtifactReference(item.source)} names no tag and no digest`, []);
  try {
    return await repository.readManifest(reference, signal);
  } catch (error) {
    if (!(error instanceof ContentError)) throw error;
    if (error.code === 'not-found') throw await explainAbsence(reader, item, signal);
    throw unreadable(error, item.source.registry);
  }
}

async function explainAbsence(reader: RegistryReader, item: PlannedItem, signal: AbortSignal): Promise<PromotionError> {
  const { registry, repository, tag, digest } = item.source;
  const tags = await namesOf(() => reader.repository(registry, repository).listTags(signal));
  if (tags.length === 0) {
    const repositories = await namesOf(() => reader.repositories(registry, signal));
    if (!repositories.includes(repository)) {
      return unknown('repository-unknown', `${registry} has no repository ${repository}`, nearest(repository, repositories));
    }
  }
  if (digest !== undefined) return unknown('digest-unknown', `${registry}/${repository} has no manifest ${digest}`, []);
  const near = nearest(tag ?? '', tags);
  return unknown('tag-unknown', `${registry}/${repository} has no tag ${tag}`, near);
}

/** Near names are a courtesy: whatever goes wrong in fetching them leaves the answer as it is. */
async function namesOf<Name extends Tag | RepositoryName>(list: () => AsyncIterable<Name>): Promise<Name[]> {
  const names: Name[] = [];
  try {
    for await (const name of list()) {
      names.push(name);
      if (names.length >= maxNamesRead) break;
    }
  } catch (error) {
    if (!(error instanceof ContentError)) throw error;
  }
  return names;
}

function unknown(code: PromotionErrorCode, message: string, near: readonly string[]): PromotionError {
  return new PromotionError(message, { code, operation: 'resolve source', details: { near } });
}

function unreadable(error: ContentError, registry: string): Error {
  if (error.code === 'unauthorized' || error.code === 'denied') {
    return new PromotionError(`${registry} does not let us read: check its read credentials`, {
      code: 'source-refused',
      operation: 'resolve source',
      cause: error,
    });
  }
  if (!error.retryable) return error;
  return new PromotionError(`the source registry ${registry} cannot be read now: ${error.message}`, {
    code: 'source-unreachable',
    operation: 'resolve source',
    retryable: true,
    retryAfterMs: error.retryAfterMs ?? 10_000,
    cause: error,
  });
}
