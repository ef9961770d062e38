import { ContentError, type Digest, isTag, type Tag } from '@waybill/oci-model';
import { headManifest } from './head-manifest.js';
import { listPages, pageSize } from './listing.js';
import { readManifest } from './manifests.js';
import { retrying } from './retry.js';
import { TagList } from './schema.js';
import type { RepositoryScope } from './scope.js';

/** The digest of a tag now; undefined when the registry says that there is no such tag. */
export async function resolveTag(scope: RepositoryScope, tag: Tag, signal?: AbortSignal): Promise<Digest | undefined> {
  const operation = 'resolve tag';
  const head = await retrying({ connection: scope.connection, operation, signal }, () => headManifest(scope, tag, { operation, signal }));
  if (head !== 'unhelpful') return head;
  try {
    return (await readManifest(scope, tag, signal)).digest;
  } catch (error) {
    if (error instanceof ContentError && error.code === 'not-found') return undefined;
    throw error;
  }
}

/** distribution-spec v1.1.1, "Listing Tags". */
export function listTags({ connection, name, path }: RepositoryScope, signal?: AbortSignal): AsyncGenerator<Tag> {
  const first = `${path}/tags/list?n=${pageSize}`;
  return listPages({ connection, first, kind: 'tags', operation: 'list tags', repository: name, read: tagsOf }, signal);
}

function tagsOf(json: unknown): readonly Tag[] | undefined {
  const { tags } = TagList.parse(json);
  return tags.every(isTag) ? tags : undefined;
}
