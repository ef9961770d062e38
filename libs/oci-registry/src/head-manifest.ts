import type { Digest, Tag } from '@waybill/oci-model';
import { discard } from './body.js';
import { acceptManifests } from './manifests.js';
import type { RepositoryScope } from './scope.js';
import { reportedDigest } from './stored-digest.js';

/**
 * What the head of a manifest tells: its digest, that it is absent, or nothing helpful, as some
 * registries send no digest or know no HEAD (distribution-spec v1.1.1, "Checking if content exists in the registry").
 */
export async function headManifest(
  scope: RepositoryScope,
  reference: Digest | Tag,
  options: { readonly operation: string; readonly signal?: AbortSignal | undefined },
): Promise<Digest | undefined | 'unhelpful'> {
  const { connection, name } = scope;
  const { operation, signal } = options;
  const answer = await connection.send({
    method: 'HEAD',
    url: `${scope.path}/manifests/${reference}`,
    kind: 'tag',
    operation,
    repository: name,
    access: 'read',
    headers: { accept: acceptManifests },
    signal,
  });
  if (answer.status !== 200 && answer.status !== 404 && answer.status !== 405) {
    throw await connection.refusal(answer, { operation, repository: name });
  }
  await discard(answer);
  if (answer.status === 404) return undefined;
  return answer.status === 200 ? (reportedDigest(answer) ?? 'unhelpful') : 'unhelpful';
}
