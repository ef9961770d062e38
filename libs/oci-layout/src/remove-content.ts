import { ContentError, type Digest, type Manifest, manifestFromBytes, type Removal, subjectOf, type Tag } from '@waybill/oci-model';
import type { BlobFolder } from './blob-folder.js';
import { type LayoutIndex, nameOf, withoutTag } from './index-file.js';
import type { LayoutReferrers } from './layout-referrers.js';

interface LayoutParts {
  readonly index: LayoutIndex;
  readonly blobs: BlobFolder;
  readonly referrers: LayoutReferrers;
}

/**
 * Takes a manifest away with all its names, and off the list of its subject. `index.json` is changed first:
 * a crash leaves content that nobody names, never a name without content.
 */
export async function deleteManifest({ index, blobs, referrers }: LayoutParts, digest: Digest): Promise<Removal> {
  const isNamed = (await index.entries()).some((entry) => entry.digest === digest);
  const manifest = await readIfPossible(blobs, digest);
  if (manifest === undefined && !isNamed) return 'absent';
  if (manifest !== undefined) await takeOffList(referrers, manifest);
  await index.edit((entries) =>
    Promise.resolve({ entries: entries.filter((entry) => entry.digest !== digest), afterwards: () => blobs.remove(digest) }),
  );
  return 'removed';
}

/** A manifest that `index.json` names is no blob, though it lies in the same folder. */
export async function deleteBlob(index: LayoutIndex, blobs: BlobFolder, digest: Digest): Promise<Removal> {
  const isManifest = (await index.entries()).some((entry) => entry.digest === digest);
  if (isManifest || (await blobs.sizeOf(digest)) === undefined) return 'absent';
  await blobs.remove(digest);
  return 'removed';
}

/** Takes a name away; the manifest stays in `index.json`, so that no tool takes it for garbage. */
export async function untag(index: LayoutIndex, tag: Tag): Promise<Removal> {
  let removal: Removal = 'absent';
  await index.edit((entries) => {
    if (!entries.some((entry) => nameOf(entry) === tag)) return Promise.resolve(undefined);
    removal = 'removed';
    return Promise.resolve({ entries: withoutTag(entries, tag) });
  });
  return removal;
}

/** What another tool wrote and nobody can read keeps no manifest from being deleted. */
async function takeOffList(referrers: LayoutReferrers, manifest: Manifest): Promise<void> {
  try {
    const subject = subjectOf(manifest);
    if (subject !== undefined) await referrers.drop(subject, manifest.digest);
  } catch (error) {
    if (!(error instanceof ContentError) || error.code !== 'manifest-invalid') throw error;
  }
}

/** Undefined when it is not there, or no manifest: blobs lie in the same folder, and what is broken may go. */
async function readIfPossible(blobs: BlobFolder, digest: Digest): Promise<Manifest | undefined> {
  try {
    return manifestFromBytes(await blobs.readManifestBytes(digest), undefined, digest);
  } catch (error) {
    if (error instanceof ContentError && expected.has(error.code)) return undefined;
    throw error;
  }
}

const expected: ReadonlySet<string> = new Set(['not-found', 'manifest-invalid', 'manifest-too-large', 'digest-mismatch']);
