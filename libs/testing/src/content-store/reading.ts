import type { Readable } from 'node:stream';
import { type BlobRef, ContentError, type ContentErrorCode, type ContentReader, type Digest } from '@waybill/oci-model';

/** Reads `stream` to its end. */
export async function bytesOf(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export async function readWhole(store: ContentReader, blob: BlobRef): Promise<Buffer> {
  return await bytesOf(await store.readBlob(blob));
}

export async function itemsOf<T>(list: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of list) items.push(item);
  return items;
}

/** The code of the ContentError that `work` must reject with; any other end fails the test. */
export async function codeOf(work: Promise<unknown>): Promise<ContentErrorCode> {
  const outcome = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome instanceof ContentError) return outcome.code;
  throw new Error(`expected a ContentError, got ${outcome === undefined ? 'success' : String(outcome)}`, { cause: outcome });
}

export function refOf(digest: Digest, bytes: Uint8Array): BlobRef {
  return { digest, size: bytes.byteLength };
}
