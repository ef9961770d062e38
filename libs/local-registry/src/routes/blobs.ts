import { pipeline } from 'node:stream/promises';
import type { Digest, RepositoryName } from '@waybill/oci-model';
import { answer, type Exchange } from '../exchange.js';
import { corrupted, cutAfter } from '../faults.js';
import { type ByteRange, rangeOf } from '../range.js';
import { Refusal } from '../refusal.js';
import { sizeOfBlob } from '../storage/storage.js';

interface BlobRoute {
  readonly repository: RepositoryName;
  readonly digest: Digest;
}

/** HEAD of a blob (distribution-spec v1.1.1, "Checking if content exists in the registry"). */
export async function headBlob(exchange: Exchange, route: BlobRoute): Promise<void> {
  const size = await knownSize(exchange, route);
  answer(exchange, 200, { ...headersOf(route.digest), 'content-length': size });
}

/** GET of a blob, whole or one range of it (distribution-spec v1.1.1, "Pulling blobs"). */
export async function getBlob(exchange: Exchange, route: BlobRoute): Promise<void> {
  const size = await knownSize(exchange, route);
  const range = rangeOf(exchange.request.headers.range, size);
  if (range === 'unsatisfiable') {
    throw new Refusal('SIZE_INVALID', `the blob has ${size} bytes`, { status: 416, headers: { 'content-range': `bytes */${size}` } });
  }
  if (range === 'whole') {
    exchange.response.writeHead(200, { ...headersOf(route.digest), 'content-length': size });
    await sendContent(exchange, route.digest);
    return;
  }
  exchange.response.writeHead(206, {
    ...headersOf(route.digest),
    'content-length': range.end - range.start + 1,
    'content-range': `bytes ${range.start}-${range.end}/${size}`,
  });
  await sendContent(exchange, route.digest, range);
}

async function knownSize({ storage }: Exchange, { repository, digest }: BlobRoute): Promise<number> {
  const size = await sizeOfBlob(storage, repository, digest);
  if (size === undefined) throw new Refusal('BLOB_UNKNOWN', 'the repository has no such blob', { details: [{ digest }] });
  return size;
}

function headersOf(digest: Digest): Record<string, string> {
  return {
    'content-type': 'application/octet-stream',
    'docker-content-digest': digest,
    'accept-ranges': 'bytes',
    etag: `"${digest}"`,
  };
}

async function sendContent({ storage, response, request, fault }: Exchange, digest: Digest, range?: ByteRange): Promise<void> {
  const stages = [
    ...(fault.corruptBlob ? [corrupted()] : []),
    ...(fault.destroyAfterBytes === undefined ? [] : [cutAfter(fault.destroyAfterBytes, request.socket)]),
  ];
  await pipeline([storage.blobs.read(digest, range), ...stages, response]);
}
