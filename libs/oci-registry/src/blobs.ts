import type { Readable } from 'node:stream';
import { type BlobRef, VerifiedStream } from '@waybill/oci-model';
import { contentLengthOf, discard } from './body.js';
import { retrying } from './retry.js';
import type { RepositoryScope } from './scope.js';
import { abortedError, type Answer } from './exchange.js';

/** distribution-spec v1.1.1, "Pulling blobs". Digest and size are verified in flight. */
export async function readBlob(scope: RepositoryScope, blob: BlobRef, signal?: AbortSignal): Promise<Readable> {
  const { connection, name } = scope;
  const operation = 'read blob';
  const answer = await connection.send({
    method: 'GET',
    url: blobPath(scope, blob),
    kind: 'blob',
    operation,
    repository: name,
    access: 'read',
    lane: 'blob',
    signal,
  });
  if (answer.status !== 200) throw await connection.refusal(answer, { operation, repository: name });
  const declared = contentLengthOf(answer);
  if (declared !== undefined && declared !== blob.size) {
    answer.body.destroy();
    throw connection.error(`${connection.host} gives ${declared} bytes for ${blob.digest}, whose descriptor says ${blob.size}`, {
      code: 'size-mismatch',
      operation,
      details: { digest: blob.digest },
    });
  }
  return verified(scope, blob, { answer, signal });
}

/**
 * Is a blob really there? The byte is read: after a garbage collection, Distribution 2.8.2 answers
 * HEAD with 200 and a ranged GET with 206 for what it no longer has, and breaks off.
 */
export async function probeBlob(scope: RepositoryScope, blob: BlobRef, signal?: AbortSignal): Promise<boolean> {
  const operation = 'probe blob';
  return await retrying({ connection: scope.connection, operation, signal }, () => probeOnce(scope, blob, signal));
}

function verified(
  scope: RepositoryScope,
  blob: BlobRef,
  from: { readonly answer: Answer; readonly signal: AbortSignal | undefined },
): Readable {
  const { connection } = scope;
  const { signal } = from;
  const { body } = from.answer;
  const stream = new VerifiedStream(blob);
  const abort = (): void => {
    stream.destroy(abortedError(connection.host, { operation: 'read blob', signal }));
  };
  signal?.addEventListener('abort', abort);
  body.once('error', (error) => stream.destroy(connection.bodyError(error, 'read blob')));
  stream.once('close', () => {
    signal?.removeEventListener('abort', abort);
    body.destroy();
  });
  return body.pipe(stream);
}

async function probeOnce(scope: RepositoryScope, blob: BlobRef, signal: AbortSignal | undefined): Promise<boolean> {
  const { connection, name } = scope;
  const operation = 'probe blob';
  const answer = await connection.send({
    method: 'GET',
    url: blobPath(scope, blob),
    kind: 'probe',
    operation,
    repository: name,
    access: 'read',
    // The empty blob has no first byte; Distribution answers 416 and then closes the connection unannounced.
    headers: blob.size === 0 ? {} : { range: 'bytes=0-0' },
    signal,
  });
  switch (answer.status) {
    case 200:
      return (contentLengthOf(answer) ?? blob.size) === blob.size ? await beginsAsItShould(scope, blob, answer) : no(answer);
    case 206:
      return (totalOf(answer) ?? blob.size) === blob.size ? await beginsAsItShould(scope, blob, answer) : no(answer);
    case 416: // what is stored is empty, and the blob is not
    case 404:
      await discard(answer);
      return false;
    default:
      throw await connection.refusal(answer, { operation, repository: name });
  }
}

/** Reads the first byte. An answer that breaks off before it holds nothing; our own interruption is no answer. */
async function beginsAsItShould(scope: RepositoryScope, blob: BlobRef, answer: Answer): Promise<boolean> {
  try {
    for await (const chunk of answer.body as AsyncIterable<Buffer>) return chunk.byteLength > 0 && blob.size > 0;
    return blob.size === 0;
  } catch (error) {
    const reason = scope.connection.bodyError(error, 'probe blob');
    if (reason.code === 'unreachable') return false;
    throw reason;
  }
}

function no(answer: Answer): false {
  answer.body.destroy();
  return false;
}

/** The whole length in `Content-Range: bytes 0-0/1234` (RFC 9110, section 14.4); undefined when it is not told. */
function totalOf(answer: Answer): number | undefined {
  const total = /^bytes\s+\d+-\d+\/(\d{1,15})$/i.exec(answer.headers['content-range'] ?? '')?.[1];
  return total === undefined ? undefined : Number(total);
}

function blobPath(scope: RepositoryScope, blob: BlobRef): string {
  return `${scope.path}/blobs/${blob.digest}`;
}
