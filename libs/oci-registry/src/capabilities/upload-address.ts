import { discard } from '../body.js';
import type { Answer } from '../exchange.js';
import type { RepositoryScope } from '../scope.js';
import { ask } from './probe.js';

const operation = 'push blob';

/** An upload that a probe has begun. Its address is a secret: it goes into no finding. */
export interface BegunUpload {
  readonly address: URL;
  /** The registry takes no smaller chunk but the last (distribution-spec v1.1.1, "Pushing a blob in chunks"). */
  readonly leastChunk: number;
}

export async function beginUpload(scope: RepositoryScope, signal: AbortSignal): Promise<BegunUpload> {
  const answer = await ask(scope, { method: 'POST', url: '/blobs/uploads/', operation, access: 'write', body: Buffer.alloc(0), signal });
  if (answer.status !== 202) throw await scope.connection.refusal(answer, { operation, repository: scope.name });
  const leastChunk = Number(answer.headers['oci-chunk-min-length'] ?? 0);
  return { address: await uploadAddress(scope, answer), leastChunk: Number.isSafeInteger(leastChunk) ? leastChunk : 0 };
}

/** Where an upload goes on, by the answer before. */
export async function uploadAddress({ connection }: RepositoryScope, answer: Answer): Promise<URL> {
  await discard(answer);
  return connection.link(answer.headers.location, answer.url, operation);
}

/** Tells the registry that nothing more will come; never rejects. */
export async function cancelUpload(scope: RepositoryScope, address: URL): Promise<void> {
  const signal = AbortSignal.timeout(scope.connection.timeouts.cancelMs);
  try {
    await discard(await ask(scope, { method: 'DELETE', url: address, operation: 'cancel upload', access: 'write', signal }));
  } catch {
    // The session dies by itself in time.
  }
}
