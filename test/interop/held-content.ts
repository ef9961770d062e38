import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { algorithmOf, type ContentReader, type Digest, hexOf } from '@waybill/oci-model';
import { blobsOf, type BuiltContent, manifestsOf } from '@waybill/testing';

/** Bytes by digest. */
export type Content = ReadonlyMap<Digest, Uint8Array>;

/** Every manifest and blob of `built`. */
export function contentOf(built: BuiltContent): Content {
  return new Map([...blobsOf(built), ...manifestsOf(built).map(({ digest, bytes }) => [digest, bytes] as const)]);
}

/** What of `content` a client's layout on disk lacks or holds with other bytes; looked up without any code of ours. */
export async function lackingIn(layout: string, content: Content): Promise<string[]> {
  return await differences(content, (digest) => readFile(join(layout, 'blobs', algorithmOf(digest), hexOf(digest))));
}

/** The same for a place of ours. */
export async function lackingAt(store: ContentReader, built: BuiltContent): Promise<string[]> {
  const manifests = new Set(manifestsOf(built).map(({ digest }) => digest));
  return await differences(contentOf(built), async (digest, size) => {
    if (manifests.has(digest)) return (await store.readManifest(digest)).bytes;
    return await buffer(await store.readBlob({ digest, size }));
  });
}

type Read = (digest: Digest, size: number) => Promise<Uint8Array>;

async function differences(content: Content, read: Read): Promise<string[]> {
  const found: string[] = [];
  for (const [digest, bytes] of content) {
    const held = await read(digest, bytes.byteLength).catch(() => undefined);
    if (held === undefined) found.push(`${digest} is missing`);
    else if (Buffer.compare(held, bytes) !== 0) found.push(`${digest} has other bytes`);
  }
  return found;
}
