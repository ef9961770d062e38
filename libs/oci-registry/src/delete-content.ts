import { ContentError, type Digest, type Removal, subjectOf } from '@waybill/oci-model';
import { discard } from './body.js';
import { acceptManifests, readManifest } from './manifests.js';
import { dropReferrer } from './referrers-tag.js';
import type { RepositoryScope } from './scope.js';

interface Deletion {
  /** Below the repository's path. */
  readonly path: string;
  /** For errors, e.g. `delete manifest`. */
  readonly operation: string;
  readonly signal?: AbortSignal | undefined;
}

const done: ReadonlySet<number> = new Set([200, 202, 204]);

/**
 * distribution-spec v1.1.1, "Deleting Manifests". Its tags go with it. A referrer is taken out of the referrers
 * tag of its subject afterwards, as the specification asks of clients.
 */
export async function deleteManifest(scope: RepositoryScope, digest: Digest, signal?: AbortSignal): Promise<Removal> {
  const operation = 'delete manifest';
  refuseWhere(scope, scope.connection.capabilities.manifestDelete === false, operation);
  const subject = await subjectNow(scope, digest, signal);
  const removal = await deleteAt(scope, { path: `/manifests/${digest}`, operation, signal });
  if (removal === 'removed' && subject !== undefined) await forget(scope, { subject, digest }, signal);
  return removal;
}

/** distribution-spec v1.1.1, "Deleting Blobs". Registries delete blobs that manifests still name. */
export async function deleteBlob(scope: RepositoryScope, digest: Digest, signal?: AbortSignal): Promise<Removal> {
  const operation = 'delete blob';
  refuseWhere(scope, scope.connection.capabilities.blobDelete === false, operation);
  return await deleteAt(scope, { path: `/blobs/${digest}`, operation, signal });
}

/** Deletes what is named by its digest. A 404 is believed when it is the registry's own, or when nothing is there. */
export async function deleteAt(scope: RepositoryScope, deletion: Deletion): Promise<Removal> {
  const { connection, name } = scope;
  const { path, operation, signal } = deletion;
  const answer = await connection.send({
    method: 'DELETE',
    url: `${scope.path}${path}`,
    kind: 'delete',
    operation,
    repository: name,
    access: 'delete',
    signal,
  });
  if (done.has(answer.status)) {
    await discard(answer);
    return 'removed';
  }
  const refusal = await connection.refusal(answer, { operation, repository: name });
  if (refusal.code !== 'not-found') throw refusal;
  if (refusal.registryErrors.length > 0 || !(await isThere(scope, deletion))) return 'absent';
  throw unsupported(scope, operation, refusal);
}

/** Some servers answer a method that they do not know with a bare 404. */
async function isThere(scope: RepositoryScope, { path, operation, signal }: Deletion): Promise<boolean> {
  const { connection, name } = scope;
  const answer = await connection.send({
    method: 'HEAD',
    url: `${scope.path}${path}`,
    kind: 'delete',
    operation,
    repository: name,
    access: 'read',
    headers: { accept: `${acceptManifests}, */*` },
    signal,
  });
  await discard(answer);
  return answer.status === 200;
}

/** Asks what a manifest refers to while it can still be read, unless the registry keeps the list. */
async function subjectNow(scope: RepositoryScope, digest: Digest, signal: AbortSignal | undefined): Promise<Digest | undefined> {
  if (scope.connection.capabilities.referrersApi === true) return undefined;
  try {
    return subjectOf(await readManifest(scope, digest, signal));
  } catch (error) {
    // What cannot be read, of whatever kind, may be deleted all the same.
    if (error instanceof ContentError && error.code !== 'aborted') return undefined;
    throw error;
  }
}

/** An entry that stays names what is gone, which whoever writes next drops; the deletion has happened. */
async function forget(
  scope: RepositoryScope,
  entry: { readonly subject: Digest; readonly digest: Digest },
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await dropReferrer(scope, entry, signal);
  } catch (error) {
    if (!(error instanceof ContentError)) throw error;
  }
}

function refuseWhere(scope: RepositoryScope, isKnownNotTo: boolean, operation: string): void {
  if (isKnownNotTo) throw unsupported(scope, operation);
}

function unsupported(scope: RepositoryScope, operation: string, cause?: Error): ContentError {
  return scope.connection.error(`${scope.connection.host} does not do this: ${operation}`, {
    code: 'unsupported',
    operation,
    ...(cause === undefined ? {} : { cause }),
  });
}
