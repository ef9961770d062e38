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

/** The ContentError that `work` must reject with; any other end fails the test. */
export async function contentErrorOf(work: Promise<unknown>): Promise<ContentError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ContentError) return error;
    throw new Error('expected a ContentError, got another error', { cause: error });
  }
  throw new Error('expected a ContentError, got success');
}

export async function codeOf(work: Promise<unknown>): Promise<ContentErrorCode> {
  return (await contentErrorOf(work)).code;
}

export function refOf(digest: Digest, bytes: Uint8Array): BlobRef {
  return { digest, size: bytes.byteLength };
}
