import { type Digest, isDigest, isRepositoryName, type RepositoryName } from '@waybill/oci-model';
import type { Answer } from '../answer.js';
import type { Exchange } from '../exchange.js';
import { Refusal } from '../refusal.js';
import { digestNamed } from '../route.js';
import { sizeOfBlob, type Storage } from '../storage/storage.js';
import type { Upload } from '../uploads.js';

interface UploadRoute {
  readonly repository: RepositoryName;
  readonly session: string;
}

/**
 * POST: a mount, a whole blob in one request, or a new session
 * (distribution-spec v1.1.1, "Pushing blobs" and "Mounting a blob from another repository").
 */
export async function startUpload(exchange: Exchange, { repository }: { readonly repository: RepositoryName }): Promise<Answer> {
  const { query, uploads } = exchange;
  const mounted = await mount(exchange, repository);
  if (mounted !== undefined) return created(repository, mounted);
  const digest = query.has('mount') ? undefined : query.get('digest');
  const whole = digest === undefined || digest === null ? undefined : digestNamed(digest);
  const upload = await uploads.start(repository);
  return whole === undefined ? session(202, upload) : complete(exchange, upload, whole);
}

/** GET: how far a session has come. */
export async function uploadStatus(exchange: Exchange, route: UploadRoute): Promise<Answer> {
  return session(204, sessionOf(exchange, route));
}

/** PATCH: one chunk, or the whole content streamed. */
export async function appendChunk(exchange: Exchange, route: UploadRoute): Promise<Answer> {
  const { uploads } = exchange;
  const upload = sessionOf(exchange, route);
  await uploads.exclusively(upload, async () => {
    refuseOutOfOrder(exchange, upload);
    await uploads.append(upload, exchange.body);
  });
  return session(202, upload);
}

/** PUT: the last chunk, or the whole content, and the digest of everything. */
export async function finishUpload(exchange: Exchange, route: UploadRoute): Promise<Answer> {
  const upload = sessionOf(exchange, route);
  const digest = digestNamed(exchange.query.get('digest') ?? '');
  return complete(exchange, upload, digest);
}

/** DELETE: the session will not be used. */
export async function cancelUpload(exchange: Exchange, route: UploadRoute): Promise<Answer> {
  const { uploads } = exchange;
  const upload = sessionOf(exchange, route);
  await uploads.exclusively(upload, () => uploads.discard(upload));
  return { status: 204 };
}

async function complete(exchange: Exchange, upload: Upload, digest: Digest): Promise<Answer> {
  const { uploads, storage } = exchange;
  await uploads.exclusively(upload, async () => {
    refuseOutOfOrder(exchange, upload);
    try {
      await uploads.finish(upload, exchange.body, digest);
      await storage.blobs.commit(upload.id, digest);
      await storage.repositories.linkBlob(upload.repository, digest);
    } finally {
      await uploads.discard(upload);
    }
  });
  return created(upload.repository, digest);
}

/** The digest that was mounted; undefined where the client has to send the bytes. */
async function mount({ query, storage }: Exchange, repository: RepositoryName): Promise<Digest | undefined> {
  const digest = query.get('mount') ?? '';
  if (!isDigest(digest) || !(await isMountable(storage, digest, query.get('from')))) return undefined;
  await storage.repositories.linkBlob(repository, digest);
  return digest;
}

/** Without `from` any repository will do ("Mounting a blob from another repository", automatic content discovery). */
async function isMountable(storage: Storage, digest: Digest, from: string | null): Promise<boolean> {
  if (from !== null) return isRepositoryName(from) && (await sizeOfBlob(storage, from, digest)) !== undefined;
  return (await storage.blobs.sizeOf(digest)) !== undefined && (await storage.repositories.isBlobHeld(digest));
}

function sessionOf({ uploads }: Exchange, { repository, session: id }: UploadRoute): Upload {
  return uploads.find(repository, id);
}

/** Chunks must come in order (distribution-spec v1.1.1, "Pushing a blob in chunks"); without `Content-Range` it is a stream. */
function refuseOutOfOrder({ request }: Exchange, upload: Upload): void {
  const range = request.headers['content-range'];
  if (range === undefined) return;
  const [, start, end] = /^(?:bytes )?(\d{1,15})-(\d{1,15})$/.exec(range) ?? [];
  if (start === undefined || Number(start) !== upload.size) {
    throw new Refusal('BLOB_UPLOAD_INVALID', `the next chunk must start at byte ${upload.size}`, {
      status: 416,
      headers: sessionHeaders(upload),
    });
  }
  const length = request.headers['content-length'];
  if (length === undefined || Number(end) - Number(start) + 1 === Number(length)) return;
  throw new Refusal('SIZE_INVALID', `Content-Range says other bytes than Content-Length: ${range} and ${length}`);
}

function session(status: 202 | 204, upload: Upload): Answer {
  return { status, headers: sessionHeaders(upload) };
}

function sessionHeaders(upload: Upload): Record<string, string> {
  return {
    location: `/v2/${upload.repository}/blobs/uploads/${upload.id}`,
    range: `0-${Math.max(0, upload.size - 1)}`, // an empty session says 0-0, as Distribution does
    'docker-upload-uuid': upload.id,
  };
}

function created(repository: RepositoryName, digest: Digest): Answer {
  return { status: 201, headers: { location: `/v2/${repository}/blobs/${digest}`, 'docker-content-digest': digest } };
}
