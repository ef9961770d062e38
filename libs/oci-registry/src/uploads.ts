import { pipeline, type Readable } from 'node:stream';
import { type BlobRef, type BlobUpload, ContentError, type PushBlobOptions } from '@waybill/oci-model';
import { discard } from './body.js';
import { sendChunks } from './chunked-upload.js';
import { abortedError, type Answer } from './exchange.js';
import type { RepositoryScope } from './scope.js';
import { checkStored } from './stored-digest.js';
import { UploadBody } from './upload-body.js';
import { UploadSession } from './upload-session.js';

/** Opens a session, sends the blob as `UploadPolicy` says, and closes it; or gives the session back. */
export async function pushBlob(scope: RepositoryScope, blob: BlobRef, content: Readable, options: PushBlobOptions): Promise<void> {
  const body = new UploadBody(blob);
  // From the first moment, so that a source that breaks while the session opens is heard.
  pipeline(content, body, () => undefined);
  let session: UploadSession | undefined;
  try {
    session = options.upload === undefined ? await openUpload(scope, options.signal) : ownSession(scope, options.upload);
    const upload = { blob, body, session, signal: options.signal };
    await (scope.connection.uploads.mode === 'chunked' ? sendInChunks(scope, upload) : sendWhole(scope, upload));
    session.committed();
  } catch (error) {
    content.destroy();
    body.destroy();
    await session?.cancel();
    throw asContentError(error, blob);
  }
}

async function openUpload(scope: RepositoryScope, signal: AbortSignal | undefined): Promise<UploadSession> {
  const { connection, name } = scope;
  const operation = 'start upload';
  const answer = await connection.send({
    method: 'POST',
    url: `${scope.path}/blobs/uploads/`,
    kind: 'upload',
    operation,
    repository: name,
    access: 'write',
    body: Buffer.alloc(0),
    signal,
  });
  if (answer.status !== 202) throw await connection.refusal(answer, { operation, repository: name });
  return await UploadSession.from(answer, scope, operation);
}

const operation = 'push blob';

interface Upload {
  readonly blob: BlobRef;
  readonly body: UploadBody;
  readonly session: UploadSession;
  readonly signal: AbortSignal | undefined;
}

/**
 * distribution-spec v1.1.1, "Pushing a blob monolithically", POST then PUT: chunks are slower
 * nearly everywhere, and Distribution kills a session whose request breaks in any case.
 */
async function sendWhole(scope: RepositoryScope, upload: Upload): Promise<void> {
  const { blob, body } = upload;
  const answer = await putBlob(scope, upload, body);
  if (answer.status === 413) throw await tooLarge(scope, blob, answer);
  await checkCommitted(scope, blob, answer, () => body.readableEnded);
}

/** distribution-spec v1.1.1, "Pushing a blob in chunks". */
async function sendInChunks(scope: RepositoryScope, upload: Upload): Promise<void> {
  const { body, signal } = upload;
  // Between two chunks no request is there to hear it, and the content may never come.
  const stop = (): void => void body.destroy(abortedError(scope.connection.host, { operation, signal }));
  signal?.addEventListener('abort', stop);
  try {
    await sendChunks(scope, upload);
  } finally {
    signal?.removeEventListener('abort', stop);
  }
  await checkCommitted(scope, upload.blob, await putBlob(scope, upload, Buffer.alloc(0)));
}

async function putBlob(scope: RepositoryScope, { blob, session, signal }: Upload, body: UploadBody | Uint8Array): Promise<Answer> {
  return await scope.connection.send({
    method: 'PUT',
    url: session.addressFor(blob.digest),
    kind: 'upload',
    operation,
    repository: scope.name,
    access: 'write',
    lane: 'blob',
    headers: { 'content-type': 'application/octet-stream' },
    body,
    signal,
  });
}

async function checkCommitted(scope: RepositoryScope, blob: BlobRef, answer: Answer, isSent = (): boolean => true): Promise<void> {
  const { connection, name } = scope;
  if (answer.status !== 201) throw await connection.refusal(answer, { operation, repository: name });
  if (!isSent()) {
    throw await connection.rejection(answer, `${connection.host} says it has blob ${blob.digest} before it got it whole`, {
      code: 'protocol',
      operation,
    });
  }
  await checkStored(scope, answer, { digest: blob.digest, operation });
  await discard(answer);
}

async function tooLarge({ connection }: RepositoryScope, blob: BlobRef, answer: Answer): Promise<ContentError> {
  const retryable = connection.uploads.tooLarge();
  const then = retryable ? ': it gets chunks from now on' : '';
  return await connection.rejection(answer, `${connection.host} takes no ${blob.size} bytes in one request${then}`, {
    code: 'unsupported',
    operation,
    retryable,
    details: { digest: blob.digest },
  });
}

function ownSession(scope: RepositoryScope, upload: BlobUpload): UploadSession {
  if (upload instanceof UploadSession && upload.belongsTo(scope)) return upload;
  throw scope.connection.error(`the upload session belongs to another repository than ${scope.name}`, {
    code: 'upload-invalid',
    operation: 'push blob',
  });
}

/** The content's own error keeps its words, so that the side at fault can be told; a nameless end is ours. */
function asContentError(error: unknown, blob: BlobRef): ContentError {
  if (error instanceof ContentError) return error;
  const why = error instanceof Error ? error.message : 'unknown';
  return new ContentError(`content of ${blob.digest} was given up: ${why}`, {
    code: 'aborted',
    operation: 'push blob',
    details: { digest: blob.digest },
    cause: error,
  });
}
