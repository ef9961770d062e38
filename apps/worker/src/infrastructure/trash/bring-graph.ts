import { copyGraph } from '@waybill/oci-copy';
import { childrenOf, ContentError, type Digest, type Manifest, type RepositoryName, type Tag } from '@waybill/oci-model';
import { repositoryAtOrigin } from '@waybill/topology';
import type { OpenedTrash } from './trash-clients.js';

/** Manifests kept in memory of one graph, in bytes. */
const manifestCacheBytes = 16 * 1024 * 1024;
/** One index may not keep a worker reading for ever. */
const maxManifests = 10_000;

export interface Way {
  readonly from: RepositoryName;
  readonly to: RepositoryName;
  readonly tags: readonly Tag[];
}

/**
 * Brings a manifest and all beneath it from one repository of a registry to another: blobs are mounted, or copied where that cannot be.
 * Rejects with CopyError or ContentError.
 */
export async function bringGraph({ registry, unlisting }: OpenedTrash, root: Digest, way: Way, signal: AbortSignal): Promise<void> {
  const id = way.to;
  const store = unlisting.repository(way.to);
  const target = { id, store, tags: way.tags, mountFrom: [repositoryAtOrigin(registry, way.from)] };
  const { targets } = await copyGraph(unlisting.repository(way.from), root, [target], { signal, manifestCacheBytes });
  const report = targets.get(id);
  if (report?.outcome === 'failed' || report?.outcome === 'cancelled') throw report.error;
}

/** A manifest and all manifests beneath it, what lists others before them. Rejects with ContentError. */
export async function manifestsBeneath(
  { unlisting }: OpenedTrash,
  repository: RepositoryName,
  root: Manifest,
  signal: AbortSignal,
): Promise<readonly Digest[]> {
  const store = unlisting.repository(repository);
  const found = new Set([root.digest]);
  const queue = [root];
  for (let manifest = queue.shift(); manifest !== undefined; manifest = queue.shift()) {
    for (const { digest } of childrenOf(manifest).manifests) {
      if (found.has(digest)) continue;
      if (found.size >= maxManifests) throw tooLarge(root.digest);
      found.add(digest);
      queue.push(await store.readManifest(digest, signal));
    }
  }
  return [...found];
}

function tooLarge(digest: Digest): ContentError {
  const facts = { code: 'manifest-too-large', operation: 'keep in trash' } as const;
  return new ContentError(`there are more than ${maxManifests} manifests beneath ${digest}`, facts);
}
