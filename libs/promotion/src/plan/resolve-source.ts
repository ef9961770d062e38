import { ContentError, type Manifest, type RepositoryName, type Tag } from '@waybill/oci-model';
import { nearest } from '@waybill/topology';
import { PromotionError, type PromotionErrorCode } from '../promotion-error.js';
import type { PlannedItem } from './plan-items.js';
import type { RegistryReader } from './registry-reader.js';

/** How many names are looked at to propose near ones. */
const maxNamesRead = 5_000;
const defaultRetryAfterMs = 10_000;

export interface ResolveSourceOptions {
  readonly signal: AbortSignal;
  /** May whoever asks hear of this repository of the source? Others are never proposed. */
  readonly mayName: (repository: RepositoryName) => boolean;
}

/** What an item is read by. */
type SourceItem = Pick<PlannedItem, 'source' | 'reference'>;

/**
 * Reads the manifest that an item's source names now; its digest is pinned from here on.
 * @throws PromotionError `tag-unknown`, `digest-unknown`, `repository-unknown` (with near names),
 *   `source-unreachable` (retryable), `source-refused`
 * @throws ContentError what else is wrong with the source's answer
 */
export async function resolveSource(reader: RegistryReader, item: SourceItem, options: ResolveSourceOptions): Promise<Manifest> {
  const { registry, repository } = item.source;
  try {
    return await reader.repository(registry, repository).readManifest(item.reference, options.signal);
  } catch (error) {
    if (!(error instanceof ContentError)) throw error;
    if (error.code === 'not-found') throw await explainAbsence(reader, item, options);
    throw unreadable(error, registry);
  }
}

async function explainAbsence(
  reader: RegistryReader,
  item: SourceItem,
  { signal, mayName }: ResolveSourceOptions,
): Promise<PromotionError> {
  const { registry, repository, digest } = item.source;
  const tags = await listed(() => reader.repository(registry, repository).listTags(signal));
  if (tags.names.length === 0 && tags.end !== 'failed') {
    const repositories = await listed(() => reader.repositories(registry, signal));
    // A repository without tags is not listed by every registry, so its absence is believed only of a whole list.
    const unlisted = repositories.end === 'complete' && !repositories.names.includes(repository);
    if (tags.end === 'not-found' || unlisted) {
      return unknown(
        'repository-unknown',
        `${registry} has no repository ${repository}`,
        nearest(repository, repositories.names.filter(mayName)),
      );
    }
  }
  if (digest !== undefined) return unknown('digest-unknown', `${registry}/${repository} has no manifest ${digest}`, []);
  return unknown('tag-unknown', `${registry}/${repository} has no tag ${item.reference}`, nearest(item.reference, tags.names));
}

interface Listing<Name> {
  readonly names: readonly Name[];
  readonly end: 'complete' | 'cut' | 'not-found' | 'failed';
}

/** Near names are a courtesy: whatever goes wrong in fetching them leaves the answer as it is. */
async function listed<Name extends Tag | RepositoryName>(list: () => AsyncIterable<Name>): Promise<Listing<Name>> {
  const names: Name[] = [];
  try {
    for await (const name of list()) {
      names.push(name);
      if (names.length >= maxNamesRead) return { names, end: 'cut' };
    }
    return { names, end: 'complete' };
  } catch (error) {
    if (!(error instanceof ContentError)) throw error;
    return { names, end: error.code === 'not-found' ? 'not-found' : 'failed' };
  }
}

function unknown(code: PromotionErrorCode, message: string, near: readonly string[]): PromotionError {
  return new PromotionError(message, { code, operation: 'resolve source', details: { near } });
}

function unreadable(error: ContentError, registry: string): Error {
  if (error.code === 'unauthorized' || error.code === 'denied') {
    return new PromotionError(`${registry} does not let us read: ${error.message}`, {
      code: 'source-refused',
      operation: 'resolve source',
      cause: error,
    });
  }
  // The signal carries the deadline of the request: an answer that did not come in time may come next time.
  if (!error.retryable && error.code !== 'aborted') return error;
  return new PromotionError(`the source registry ${registry} cannot be read now: ${error.message}`, {
    code: 'source-unreachable',
    operation: 'resolve source',
    retryable: true,
    retryAfterMs: error.retryAfterMs ?? defaultRetryAfterMs,
    cause: error,
  });
}
