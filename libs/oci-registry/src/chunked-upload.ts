import type { ContentError } from '@waybill/oci-model';
import { discard } from './body.js';
import type { Connection } from './connection.js';
import type { Answer } from './exchange.js';
import { retrying } from './retry.js';
import type { RepositoryScope } from './scope.js';
import type { UploadBody } from './upload-body.js';
import { type Chunk, chunksOf } from './upload-chunks.js';
import type { UploadSession } from './upload-session.js';

/** Nobody may make us hold more of a blob than this. */
const largestChunkBytes = 64 * 1024 * 1024;

const operation = 'push blob';

export interface ChunkedContent {
  readonly body: UploadBody;
  readonly session: UploadSession;
  readonly signal: AbortSignal | undefined;
}

/**
 * distribution-spec v1.1.1, "Pushing a blob in chunks", up to the last of them; what is left is to close the session.
 * When a chunk fails for now, the session is asked how far it got, and the rest of the chunk is sent from there.
 * Distribution 2.8.2 ends a session whose request broke midway: `upload-invalid`, and a new one is needed.
 */
export async function sendChunks(scope: RepositoryScope, content: ChunkedContent): Promise<void> {
  const size = chunkSize(scope.connection, content.session.leastChunkBytes);
  for await (const chunk of chunksOf(content.body, size)) await sendChunk(scope, content, chunk);
}

/** `OCI-Chunk-Min-Length` counts more than what we would choose. */
function chunkSize(connection: Connection, least: number): number {
  if (least <= largestChunkBytes) return Math.max(connection.uploads.chunkBytes, least);
  throw connection.error(`${connection.host} asks for chunks of ${least} bytes, more than the ${largestChunkBytes} that are held`, {
    code: 'unsupported',
    operation,
  });
}

async function sendChunk(scope: RepositoryScope, content: ChunkedContent, chunk: Chunk): Promise<void> {
  const { connection } = scope;
  const end = chunk.start + chunk.bytes.byteLength;
  let held = chunk.start;
  while (held < end) {
    const before = held;
    let isKnown = true;
    held = await retrying({ connection, operation, signal: content.signal }, async () => {
      const from = isKnown ? held : await heldAlready(scope, content, chunk);
      isKnown = false; // until its answer says so
      return from === end ? end : await patch(scope, content, { start: from, bytes: chunk.bytes.subarray(from - chunk.start) });
    });
    if (held <= before || held > end) throw protocolError(connection, 'takes chunks and does not say truly how far it is');
  }
}

/** Sends a chunk; gives how many bytes of the blob the registry has by then. */
async function patch(scope: RepositoryScope, { session, signal }: ChunkedContent, { start, bytes }: Chunk): Promise<number> {
  const { connection, name } = scope;
  const end = start + bytes.byteLength;
  const answer = await connection.send({
    method: 'PATCH',
    url: session.address,
    kind: 'upload',
    operation,
    repository: name,
    access: 'write',
    lane: 'blob',
    headers: { 'content-type': 'application/octet-stream', 'content-range': `${start}-${end - 1}` },
    body: bytes,
    signal,
  });
  // Out of order, it says: whoever asks where it is can go on.
  if (answer.status === 416) throw await outOfOrder(scope, answer);
  if (answer.status !== 202 && answer.status !== 204) throw await connection.refusal(answer, { operation, repository: name });
  await discard(answer);
  session.moveTo(answer, operation);
  return end === 1 ? end : (heldOf(answer) ?? end);
}

/** Asks the session how far it is. It can have all of the chunk, some of it or nothing; anything else cannot be mended. */
async function heldAlready(scope: RepositoryScope, { session, signal }: ChunkedContent, chunk: Chunk): Promise<number> {
  const { connection, name } = scope;
  const answer = await connection.send({
    method: 'GET',
    url: session.address,
    kind: 'upload',
    operation,
    repository: name,
    access: 'write',
    signal,
  });
  if (answer.status !== 204 && answer.status !== 200) throw await connection.refusal(answer, { operation, repository: name });
  await discard(answer);
  if (answer.headers.location !== undefined) session.moveTo(answer, operation);
  const held = heldOf(answer);
  if (held === undefined) throw protocolError(connection, 'does not say how far an upload is');
  if (held >= chunk.start && held <= chunk.start + chunk.bytes.byteLength) return held;
  throw connection.error(`${connection.host} has ${held} bytes of an upload that is at ${chunk.start}`, {
    code: 'upload-invalid',
    operation,
    retryable: true, // in a new session
  });
}

/** From `Range: 0-<last byte>`. Distribution says `0-0` of an upload without a byte, as of one with a single byte. */
function heldOf(answer: Answer): number | undefined {
  const last = /^(?:bytes=)?0-(\d{1,15})$/.exec(answer.headers.range ?? '')?.[1];
  if (last === undefined) return undefined;
  return last === '0' ? 0 : Number(last) + 1;
}

async function outOfOrder({ connection, name }: RepositoryScope, answer: Answer): Promise<ContentError> {
  const refusal = await connection.refusal(answer, { operation, repository: name });
  return connection.error(`${connection.host} is elsewhere in an upload than we are`, {
    code: 'upload-invalid',
    operation,
    status: answer.status,
    retryable: true,
    details: refusal.details,
    cause: refusal,
  });
}

function protocolError(connection: Connection, what: string): ContentError {
  return connection.error(`${connection.host} ${what}`, { code: 'protocol', operation });
}
