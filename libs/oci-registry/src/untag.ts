import type { Removal, Tag } from '@waybill/oci-model';
import { discard } from './body.js';
import type { RepositoryScope } from './scope.js';
import { resolveTag } from './tags.js';
import { untagByThrowAway } from './untag-by-throw-away.js';

const operation = 'untag';
const done: ReadonlySet<number> = new Set([200, 202, 204]);
/** distribution-spec v1.1.1, "Deleting tags": 400 and 405 say that it is not offered; Distribution 2.8.2 says 400 DIGEST_INVALID. */
const declines: ReadonlySet<number> = new Set([400, 404, 405, 501]);

/**
 * Removes a tag and leaves its manifest: natively where the registry can, else by the way round of `untagByThrowAway`.
 * Rejects with `unsupported`, the tag untouched, where the registry deletes nothing.
 */
export async function untag(scope: RepositoryScope, tag: Tag, signal?: AbortSignal): Promise<Removal> {
  const held = await resolveTag(scope, tag, signal);
  if (held === undefined) return 'absent';
  if (scope.connection.capabilities.tagDelete !== false) {
    const removal = await untagNatively(scope, tag, signal);
    if (removal !== 'declined') return removal;
  }
  return await untagByThrowAway(scope, { tag, held }, signal);
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
