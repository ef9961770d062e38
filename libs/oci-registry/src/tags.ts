import { ContentError, type Digest, isTag, type Manifest, type Tag } from '@waybill/oci-model';
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
  return head === 'unhelpful' ? (await readIfPresent(scope, tag, signal))?.digest : head;
}

/** Whether the registry says that it has the manifest (distribution-spec v1.1.1, "Checking if content exists in the registry"). */
export async function hasManifest(scope: RepositoryScope, digest: Digest, signal?: AbortSignal): Promise<boolean> {
  const operation = 'look for manifest';
  const head = await retrying({ connection: scope.connection, operation, signal }, () =>
    headManifest(scope, digest, { operation, signal }),
  );
  return head === 'unhelpful' ? (await readIfPresent(scope, digest, signal)) !== undefined : head !== undefined;
}

/** distribution-spec v1.1.1, "Listing Tags". */
export function listTags({ connection, name, path }: RepositoryScope, signal?: AbortSignal): AsyncGenerator<Tag> {
  const first = `${path}/tags/list?n=${pageSize}`;
  return listPages({ connection, first, kind: 'tags', operation: 'list tags', repository: name, read: tagsOf }, signal);
}

async function readIfPresent(
  scope: RepositoryScope,
  reference: Digest | Tag,
  signal: AbortSignal | undefined,
): Promise<Manifest | undefined> {
  try {
    return await readManifest(scope, reference, signal);
  } catch (error) {
    if (error instanceof ContentError && error.code === 'not-found') return undefined;
    throw error;
  }
}

function tagsOf(json: unknown): readonly Tag[] | undefined {
  const { tags } = TagList.parse(json);
  return tags.every(isTag) ? tags : undefined;
}
