import { type Digest, isDigest, isRepositoryName, type RepositoryName } from '@waybill/oci-model';
import { answer, bodyOf, type Exchange } from '../exchange.js';
import { Refusal } from '../refusal.js';
import { digestNamed } from '../route.js';
import { sizeOfBlob } from '../storage/storage.js';
import type { Upload } from '../storage/uploads.js';

interface UploadRoute {
  readonly repository: RepositoryName;
  readonly session: string;
}

/**
 * POST: a mount, a whole blob in one request, or a new session
 * (distribution-spec v1.1.1, "Pushing blobs" and "Mounting a blob from another repository").
 */
export async function startUpload(exchange: Exchange, { repository }: { readonly repository: RepositoryName }): Promise<void> {
  const { query, storage } = exchange;
  const mounted = await mount(exchange, repository);
  if (mounted !== undefined) {
    answerCreated(exchange, repository, mounted);
    return;
  }
  const digest = query.has('mount') ? undefined : query.get('digest');
  const whole = digest === undefined || digest === null ? undefined : digestNamed(digest);
  const upload = await storage.uploads.start(repository);
  if (whole === undefined) answerSession(exchange, 202, upload);
  else await complete(exchange, upload, whole);
}

/** GET: how far a session has come. */
export async function uploadStatus(exchange: Exchange, route: UploadRoute): Promise<void> {
  answerSession(exchange, 204, sessionOf(exchange, route));
}

/** PATCH: one chunk, or the whole content streamed. */
export async function appendChunk(exchange: Exchange, route: UploadRoute): Promise<void> {
  const { uploads } = exchange.storage;
  const upload = sessionOf(exchange, route);
  await uploads.exclusively(upload, async () => {
    refuseOutOfOrder(exchange, upload);
    await uploads.append(upload, bodyOf(exchange));
  });
  answerSession(exchange, 202, upload);
}

/** PUT: the last chunk, or the whole content, and the digest of everything. */
export async function finishUpload(exchange: Exchange, route: UploadRoute): Promise<void> {
  const upload = sessionOf(exchange, route);
  const digest = digestNamed(exchange.query.get('digest') ?? '');
  await complete(exchange, upload, digest);
}

/** DELETE: the session will not be used. */
export async function cancelUpload(exchange: Exchange, route: UploadRoute): Promise<void> {
  const { uploads } = exchange.storage;
  const upload = sessionOf(exchange, route);
  await uploads.exclusively(upload, () => uploads.discard(upload));
  answer(exchange, 204, {});
}

async function complete(exchange: Exchange, upload: Upload, digest: Digest): Promise<void> {
  const { uploads, blobs, repositories } = exchange.storage;
  await uploads.exclusively(upload, async () => {
    refuseOutOfOrder(exchange, upload);
    try {
      await uploads.finish(upload, bodyOf(exchange), digest);
      await blobs.commit(upload.file, digest);
      await repositories.linkBlob(upload.repository, digest);
    } finally {
      await uploads.discard(upload);
    }
  });
  answerCreated(exchange, upload.repository, digest);
}

/** The digest that was mounted; undefined where the client has to send the bytes. */
async function mount({ query, storage }: Exchange, repository: RepositoryName): Promise<Digest | undefined> {
  const digest = query.get('mount') ?? '';
  const from = query.get('from') ?? '';
  if (!isDigest(digest) || !isRepositoryName(from)) return undefined;
  if ((await sizeOfBlob(storage, from, digest)) === undefined) return undefined;
  await storage.repositories.linkBlob(repository, digest);
  return digest;
}

function sessionOf({ storage }: Exchange, { repository, session }: UploadRoute): Upload {
  return storage.uploads.find(repository, session);
}

/** Chunks must come in order (distribution-spec v1.1.1, "Pushing a blob in chunks"); without `Content-Range` it is a stream. */
function refuseOutOfOrder({ request }: Exchange, upload: Upload): void {
  const range = request.headers['content-range'];
  if (range === undefined) return;
  const start = /^(?:bytes )?(\d{1,15})-\d{1,15}$/.exec(range)?.[1];
  if (start !== undefined && Number(start) === upload.size) return;
  throw new Refusal('BLOB_UPLOAD_INVALID', `the next chunk must start at byte ${upload.size}`, {
    status: 416,
    headers: sessionHeaders(upload),
  });
}

function answerSession(exchange: Exchange, status: 202 | 204, upload: Upload): void {
  answer(exchange, status, sessionHeaders(upload));
}

function sessionHeaders(upload: Upload): Record<string, string> {
  return {
    location: `/v2/${upload.repository}/blobs/uploads/${upload.id}`,
    range: `0-${Math.max(0, upload.size - 1)}`, // an empty session says 0-0, as Distribution does
    'docker-upload-uuid': upload.id,
  };
}

function answerCreated(exchange: Exchange, repository: RepositoryName, digest: Digest): void {
  answer(exchange, 201, { location: `/v2/${repository}/blobs/${digest}`, 'docker-content-digest': digest });
}
