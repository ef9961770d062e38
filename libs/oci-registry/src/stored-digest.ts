import { algorithmOf, type Digest, isDigest } from '@waybill/oci-model';
import type { Answer } from './exchange.js';
import type { RepositoryScope } from './scope.js';

/** `Docker-Content-Digest`, when it is one: some registries leave it out, some proxies garble it. */
export function reportedDigest(answer: Answer): Digest | undefined {
  const header = answer.headers['docker-content-digest'];
  return typeof header === 'string' && isDigest(header) ? header : undefined;
}

/** Rejects with `digest-mismatch` when the registry reports another blob than the one that was meant. */
export async function checkStored(
  scope: RepositoryScope,
  answer: Answer,
  meant: { readonly digest: Digest; readonly operation: string },
): Promise<void> {
  const stored = reportedDigest(answer);
  // A registry may report under another algorithm than the one that was pushed with.
  if (stored === undefined || stored === meant.digest || algorithmOf(stored) !== algorithmOf(meant.digest)) return;
  const { connection } = scope;
  throw await connection.rejection(answer, `${connection.host} reports ${stored} for blob ${meant.digest}`, {
    code: 'digest-mismatch',
    operation: meant.operation,
    details: { digest: meant.digest },
  });
}
