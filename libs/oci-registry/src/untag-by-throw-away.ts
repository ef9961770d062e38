import { ContentError, type Digest, type Manifest, type Removal, type Tag } from '@waybill/oci-model';
import { deleteAt } from './delete-content.js';
import { putManifest, readManifest } from './manifests.js';
import { retrying } from './retry.js';
import type { RepositoryScope } from './scope.js';
import { resolveTag } from './tags.js';
import { isThrowAway, makeThrowAway } from './throw-away.js';

const operation = 'untag';

interface HeldTag {
  readonly tag: Tag;
  /** What the tag named when the work began. */
  readonly held: Digest;
}

/**
 * Removes a tag where only manifests can be deleted, as at Distribution 2.8: a deletion takes all tags of a manifest
 * along, so the tag is first moved to a manifest of its own, and that one is deleted.
 *
 * Whether the registry deletes at all is found out before the tag moves, so one that does not is left as it was.
 * From the moment in which the tag moves, the work is brought to its end whatever `signal` says: deleted, or the
 * tag put back. Two windows remain. A tag that a foreign writer moves between our last look and our own move is
 * removed with that writer's choice. And when this process dies in between, the tag names the throw-away until
 * somebody untags it again, which ends the work.
 */
export async function untagByThrowAway(scope: RepositoryScope, { tag, held }: HeldTag, signal?: AbortSignal): Promise<Removal> {
  refuseWhereNothingIsDeleted(scope);
  const kept = await readManifest(scope, held, signal);
  if (isThrowAway(kept)) return await removeManifest(scope, held, signal);
  await proveDeletion(scope, signal);

  const now = await resolveTag(scope, tag, signal);
  if (now === undefined) return 'absent';
  if (now !== held) throw movedMeanwhile(scope, tag);
  const throwAway = makeThrowAway();
  await moveTag(scope, { tag, throwAway });
  await removeWithTag(scope, { tag, throwAway, kept });
  return 'removed';
}

/** Deletes what is not there, then what is: only a registry that does both as it should gets a tag moved. */
async function proveDeletion(scope: RepositoryScope, signal: AbortSignal | undefined): Promise<void> {
  await removeManifest(scope, makeThrowAway().digest, signal); // leaves no trace where deletion is off
  const proof = makeThrowAway();
  await putManifest(scope, proof, { signal });
  if ((await removeManifest(scope, proof.digest, signal)) === 'removed') return;
  throw scope.connection.error(`${scope.connection.host} does not delete what was pushed to it`, { code: 'unsupported', operation });
}

/** A broken PUT may have moved the tag nonetheless; then what follows has to be done. */
async function moveTag(scope: RepositoryScope, { tag, throwAway }: { readonly tag: Tag; readonly throwAway: Manifest }): Promise<void> {
  try {
    await putManifest(scope, throwAway, { tag });
  } catch (error) {
    if ((await resolveTag(scope, tag)) !== throwAway.digest) throw error;
  }
}

async function removeWithTag(
  scope: RepositoryScope,
  { tag, throwAway, kept }: { readonly tag: Tag; readonly throwAway: Manifest; readonly kept: Manifest },
): Promise<void> {
  try {
    await retrying({ connection: scope.connection, operation }, () => removeManifest(scope, throwAway.digest));
    if ((await resolveTag(scope, tag)) !== throwAway.digest) return;
    throw scope.connection.error(`${scope.connection.host} keeps a tag whose manifest it deleted`, { code: 'protocol', operation });
  } catch (error) {
    await putBack(scope, { tag, throwAway, kept });
    throw error;
  }
}

/** Unless the tag has gone on to somebody else's manifest. */
async function putBack(
  scope: RepositoryScope,
  { tag, throwAway, kept }: { readonly tag: Tag; readonly throwAway: Manifest; readonly kept: Manifest },
): Promise<void> {
  try {
    if ((await resolveTag(scope, tag)) === throwAway.digest) await putManifest(scope, kept, { tag });
  } catch (cause) {
    if (!(cause instanceof ContentError)) throw cause;
    const { host } = scope.connection;
    throw scope.connection.error(`tag ${tag} at ${host} is left on a manifest of ours that could not be deleted: untag it again`, {
      code: cause.code,
      operation,
      retryable: true,
      details: { repository: scope.name, tag, digest: kept.digest },
      cause,
    });
  }
}

async function removeManifest(scope: RepositoryScope, digest: Digest, signal?: AbortSignal): Promise<Removal> {
  return await deleteAt(scope, { path: `/manifests/${digest}`, operation, signal });
}

function refuseWhereNothingIsDeleted(scope: RepositoryScope): void {
  if (scope.connection.capabilities.manifestDelete !== false) return;
  throw scope.connection.error(`${scope.connection.host} deletes no manifests, so no tags either`, { code: 'unsupported', operation });
}

function movedMeanwhile(scope: RepositoryScope, tag: Tag): ContentError {
  return scope.connection.error(`tag ${tag} at ${scope.connection.host} moved while it was to be removed`, {
    code: 'unavailable',
    operation,
    retryable: true,
  });
}
