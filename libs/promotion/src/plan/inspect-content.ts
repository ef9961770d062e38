import { type BlobRef, childrenOf, ContentError, type Digest, type Manifest } from '@waybill/oci-model';
import type { ItemContent, TargetForecast } from '../estimate.js';
import type { PlannedItem, PlannedTarget } from './plan-items.js';
import type { RegistryReader, RepositoryReader } from './registry-reader.js';

/** A forecast reads no more manifests than this; what lies beneath others is not counted. */
const maxManifests = 64;
/** A forecast asks for no more blobs than this; others count as missing. */
const maxProbes = 64;

/**
 * Reads the manifests beneath `root` at the source and lists the blobs they name.
 * @throws ContentError when one of them is not there, malformed, or cannot be read
 */
export async function inspectContent(reader: RegistryReader, item: PlannedItem, root: Manifest, signal: AbortSignal): Promise<ItemContent> {
  const repository = reader.repository(item.source.registry, item.source.repository);
  const blobs = new Map<Digest, BlobRef>();
  const seen = new Set<Digest>([root.digest]);
  const queue = [root];
  for (const manifest of queue) {
    const children = childrenOf(manifest);
    for (const blob of children.blobs) blobs.set(blob.digest, { digest: blob.digest, size: blob.size });
    const unseen = children.manifests.filter((child) => !seen.has(child.digest)).slice(0, maxManifests - seen.size);
    for (const child of unseen) seen.add(child.digest);
    queue.push(...(await Promise.all(unseen.map((child) => repository.readManifest(child.digest, signal)))));
  }
  return { manifests: queue.length, blobs: [...blobs.values()] };
}

/** Asks a target which of the item's blobs it has; a target that cannot be asked is forecast as unknown. */
export async function forecastTarget(
  reader: RegistryReader,
  content: ItemContent,
  target: PlannedTarget & { readonly item: number; readonly source: string },
  signal: AbortSignal,
): Promise<TargetForecast> {
  const facts = {
    item: target.item,
    registry: target.registry,
    location: target.location,
    mountable: reader.shareOrigin(target.source, target.registry),
  };
  try {
    return { ...facts, present: await presentBlobs(reader.repository(target.registry, target.repository), content, signal) };
  } catch (error) {
    if (error instanceof ContentError) return { ...facts, present: undefined };
    throw error;
  }
}

async function presentBlobs(repository: RepositoryReader, content: ItemContent, signal: AbortSignal): Promise<Set<Digest>> {
  const probed = content.blobs.slice(0, maxProbes);
  const present = await Promise.all(probed.map((blob) => repository.probeBlob(blob, signal)));
  return new Set(probed.filter((_, index) => present[index]).map((blob) => blob.digest));
}
