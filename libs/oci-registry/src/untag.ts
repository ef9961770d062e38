import { ContentError, type Digest, type Manifest, type Removal, type Tag } from '@waybill/oci-model';
import { discard } from './body.js';
import { headManifest } from './head-manifest.js';
import { putManifest, readManifest } from './manifests.js';
import type { RepositoryScope } from './scope.js';
import { resolveTag } from './tags.js';
import { isThrowAway } from './throw-away.js';
import { untagByThrowAway } from './untag-by-throw-away.js';

const operation = 'untag';
const done: ReadonlySet<number> = new Set([200, 202, 204]);
/** distribution-spec v1.1.1, "Deleting tags": 400 and 405 say that it is not offered; Distribution 2.8.2 says 400 DIGEST_INVALID. */
const declines: ReadonlySet<number> = new Set([400, 404, 405, 501]);

/**
 * Removes a tag and leaves its manifest: natively where the registry can, else by the way round of `untagByThrowAway`.
 * Where it is not known that the registry leaves the manifest, it is looked for afterwards and pushed again if it is gone.
 * Rejects with `unsupported`, the tag untouched, where the registry deletes nothing.
 */
export async function untag(scope: RepositoryScope, tag: Tag, signal?: AbortSignal): Promise<Removal> {
  const held = await resolveTag(scope, tag, signal);
  if (held === undefined) return 'absent';
  const { tagDelete } = scope.connection.capabilities;
  if (tagDelete === false) return await untagByThrowAway(scope, { tag, held }, signal);
  const kept = tagDelete === true ? undefined : await manifestNow(scope, held, signal);
  const removal = await untagNatively(scope, tag, signal);
  if (removal === 'declined') return await untagByThrowAway(scope, { tag, held }, signal);
  if (removal === 'removed' && kept !== undefined) await bringBack(scope, kept);
  return removal;
}

/**
 * As `untag`, from that very digest: a tag that names another one is left on it, and `moved`. One that an earlier try has left on a
 * throw-away is taken off it.
 */
export async function untagFrom(
  scope: RepositoryScope,
  { tag, digest }: { readonly tag: Tag; readonly digest: Digest },
  signal?: AbortSignal,
): Promise<Removal | 'moved'> {
  const held = await resolveTag(scope, tag, signal);
  if (held === undefined) return 'absent';
  const kept = held === digest ? undefined : await manifestNow(scope, held, signal);
  if (held !== digest && (kept === undefined || !isThrowAway(kept))) return 'moved';
  return untag(scope, tag, signal);
}

/** Undefined for one that a tag names and that is not there: there is nothing to keep then. */
async function manifestNow(scope: RepositoryScope, digest: Digest, signal: AbortSignal | undefined): Promise<Manifest | undefined> {
  try {
    return await readManifest(scope, digest, signal);
  } catch (error) {
    if (error instanceof ContentError && error.code === 'not-found') return undefined;
    throw error;
  }
}

/** Some registries take a manifest along with its tag, or with its last one as zot does. The tag is gone by now, so no signal is asked. */
async function bringBack(scope: RepositoryScope, kept: Manifest): Promise<void> {
  const isGone = (await headManifest(scope, kept.digest, { operation })) === undefined;
  if (isGone) await putManifest(scope, kept, {});
}

async function untagNatively(scope: RepositoryScope, tag: Tag, signal: AbortSignal | undefined): Promise<Removal | 'declined'> {
  const { connection, name } = scope;
  const answer = await connection.send({
    method: 'DELETE',
    url: `${scope.path}/manifests/${tag}`,
    kind: 'delete',
    operation,
    repository: name,
    access: 'delete',
    signal,
  });
  if (!done.has(answer.status) && !declines.has(answer.status)) throw await connection.refusal(answer, { operation, repository: name });
  await discard(answer);
  if (done.has(answer.status)) return 'removed';
  if (answer.status !== 404) return 'declined';
  return (await resolveTag(scope, tag, signal)) === undefined ? 'absent' : 'declined';
}
