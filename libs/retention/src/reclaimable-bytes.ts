import type { SnapshotManifest } from './snapshot.js';

/**
 * Bytes of the removed manifests, and of the blobs that none of the kept ones needs.
 * The same keep-set says what a collection may take: a blob of anything kept is never counted.
 */
export function reclaimableBytes(manifests: readonly SnapshotManifest[], isKept: (number: number) => boolean): number {
  const blobs = new Map<string, number>();
  let bytes = 0;
  for (const [number, manifest] of manifests.entries()) {
    if (isKept(number)) continue;
    bytes += manifest.size;
    for (const { id, size } of manifest.blobs) blobs.set(id, size);
  }
  if (blobs.size === 0) return bytes;
  for (const [number, manifest] of manifests.entries()) {
    if (!isKept(number)) continue;
    for (const { id } of manifest.blobs) blobs.delete(id);
  }
  for (const size of blobs.values()) bytes += size;
  return bytes;
}
