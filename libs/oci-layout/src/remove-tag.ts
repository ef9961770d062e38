import {
  childrenOf,
  ContentError,
  type Descriptor,
  type Digest,
  isManifestMediaType,
  type Manifest,
  manifestFromBytes,
  type Tag,
} from '@waybill/oci-model';
import type { BlobFolder } from './blob-folder.js';
import { type LayoutIndex, nameOf } from './index-file.js';

/**
 * Takes a tag off a layout, and with it all content that nothing else in `index.json` needs.
 * The index goes first: a crash leaves content that nobody names, never a name without content.
 * Rejects with ContentError when it cannot be said what the rest needs; then nothing was removed.
 */
export async function removeTag(index: LayoutIndex, blobs: BlobFolder, tag: Tag): Promise<void> {
  const entries = await index.entries();
  const going = await contentOf(
    blobs,
    entries.filter((entry) => nameOf(entry) === tag),
  );
  const staying = await contentOf(
    blobs,
    entries.filter((entry) => nameOf(entry) !== tag),
  );
  await index.update((now) => now.filter((entry) => nameOf(entry) !== tag));
  for (const digest of going) {
    if (!staying.has(digest)) await blobs.remove(digest);
  }
}

/** The digests of `roots` and of everything beneath them. What is not there has nothing beneath it. */
async function contentOf(blobs: BlobFolder, roots: readonly Descriptor[]): Promise<ReadonlySet<Digest>> {
  const seen = new Set<Digest>();
  const waiting = [...roots];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (seen.has(next.digest)) continue;
    seen.add(next.digest);
    const manifest = isManifestMediaType(next.mediaType) ? await readIfPresent(blobs, next) : undefined;
    if (manifest === undefined) continue;
    const children = childrenOf(manifest);
    waiting.push(...children.manifests, ...children.blobs);
  }
  return seen;
}

async function readIfPresent(blobs: BlobFolder, { digest, mediaType }: Descriptor): Promise<Manifest | undefined> {
  try {
    return manifestFromBytes(await blobs.readManifestBytes(digest), mediaType, digest);
  } catch (error) {
    if (error instanceof ContentError && error.code === 'not-found') return undefined;
    throw error;
  }
}
