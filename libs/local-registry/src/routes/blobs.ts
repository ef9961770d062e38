import type { Digest, RepositoryName } from '@waybill/oci-model';
import type { Answer } from '../answer.js';
import type { Exchange } from '../exchange.js';
import { rangeOf } from '../range.js';
import { Refusal } from '../refusal.js';
import { sizeOfBlob } from '../storage/storage.js';

interface BlobRoute {
  readonly repository: RepositoryName;
  readonly digest: Digest;
}

/** HEAD of a blob (distribution-spec v1.1.1, "Checking if content exists in the registry"). */
export async function headBlob(exchange: Exchange, route: BlobRoute): Promise<Answer> {
  const size = await knownSize(exchange, route);
  return { status: 200, headers: { ...headersOf(route.digest), 'content-length': size } };
}

/** GET of a blob, whole or one range of it (distribution-spec v1.1.1, "Pulling blobs"). */
export async function getBlob(exchange: Exchange, route: BlobRoute): Promise<Answer> {
  const { blobs } = exchange.storage;
  const size = await knownSize(exchange, route);
  const headers = headersOf(route.digest);
  const range = rangeOf(exchange.request.headers.range, size);
  if (range === 'unsatisfiable') {
    throw new Refusal('SIZE_INVALID', `the blob has ${size} bytes`, { status: 416, headers: { 'content-range': `bytes */${size}` } });
  }
  if (range === 'whole') return { status: 200, headers: { ...headers, 'content-length': size }, body: blobs.read(route.digest) };
  const part = { 'content-length': range.end - range.start + 1, 'content-range': `bytes ${range.start}-${range.end}/${size}` };
  return { status: 206, headers: { ...headers, ...part }, body: blobs.read(route.digest, range) };
}

/**
 * DELETE of a blob (distribution-spec v1.1.1, "Deleting Blobs"): this repository does not have it any more.
 * What else names it, a manifest too, is not asked; the content stays where it is.
 */
export async function deleteBlob({ storage, locks }: Exchange, { repository, digest }: BlobRoute): Promise<Answer> {
  const wasThere = await locks.exclusive(repository, () => storage.repositories.unlinkBlob(repository, digest));
  if (!wasThere) throw unknownBlob(digest);
  return { status: 202 };
}

async function knownSize({ storage }: Exchange, { repository, digest }: BlobRoute): Promise<number> {
  const size = await sizeOfBlob(storage, repository, digest);
  if (size === undefined) throw unknownBlob(digest);
  return size;
}

function unknownBlob(digest: Digest): Refusal {
  return new Refusal('BLOB_UNKNOWN', 'the repository has no such blob', { details: [{ digest }] });
}

function headersOf(digest: Digest): Record<string, string> {
  return {
    'content-type': 'application/octet-stream',
    'docker-content-digest': digest,
    'accept-ranges': 'bytes',
    etag: `"${digest}"`,
  };
}
