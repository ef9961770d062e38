import type { BlobRef, MountResult, RepositoryName } from '@waybill/oci-model';
import { discard } from './body.js';
import type { RepositoryScope } from './scope.js';
import { checkStored } from './stored-digest.js';
import { UploadSession } from './upload-session.js';

/** Answers that mean "not this way": the plain upload that follows says what is really wrong, if anything is. */
const declines: ReadonlySet<number> = new Set([400, 401, 403, 404, 405, 501]);

/**
 * distribution-spec v1.1.1, "Mounting a blob from another repository". `from` is the name by which the
 * origin itself knows the repository: it may lie outside of our prefix, where another registry of the
 * same origin stands. Made with the write credentials, which must be able to read `from`.
 */
export async function mountBlob(
  scope: RepositoryScope,
  blob: BlobRef,
  options: { readonly from: RepositoryName; readonly signal?: AbortSignal | undefined },
): Promise<MountResult> {
  const { connection, name } = scope;
  if (connection.capabilities.mount === false) return { mounted: false };
  const operation = 'mount blob';
  const query = `mount=${encodeURIComponent(blob.digest)}&from=${encodeURIComponent(options.from)}`;
  const answer = await connection.send({
    method: 'POST',
    url: `${scope.path}/blobs/uploads/?${query}`,
    kind: 'mount',
    operation,
    repository: name,
    mountedFrom: options.from,
    access: 'write',
    body: Buffer.alloc(0),
    signal: options.signal,
  });
  if (answer.status === 201) {
    await checkStored(scope, answer, { digest: blob.digest, operation });
    await discard(answer);
    return { mounted: true };
  }
  if (answer.status === 202) return { mounted: false, upload: await UploadSession.from(answer, scope, operation) };
  if (!declines.has(answer.status)) throw await connection.refusal(answer, { operation, repository: name });
  await discard(answer);
  return { mounted: false };
}
