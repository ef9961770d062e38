import type { Digest, Manifest } from '@waybill/oci-model';
import type { CopyError } from './copy-error.js';
import type { Graph } from './graph.js';
import type { ManifestSource } from './manifest-source.js';
import type { TargetRun } from './target-run.js';

/**
 * Asks which manifests of the graph the target can give back whole. That says nothing
 * about what is beneath them: a collection may have taken a child and left the parent.
 */
export async function findManifests(run: TargetRun, graph: Graph): Promise<ReadonlySet<Digest>> {
  const present = new Set<Digest>();
  const look = async (digest: Digest) => {
    if (await canRead(run, digest)) present.add(digest);
  };
  await Promise.all(graph.levels.flat().map((digest) => run.guard(() => look(digest))));
  return present;
}

/**
 * Pushes the manifests that are not `present`, children before the manifests that name them.
 * Never rejects: a failure ends the target.
 */
export async function copyManifests(
  run: TargetRun,
  graph: Graph,
  { present, source }: { readonly present: ReadonlySet<Digest>; readonly source: ManifestSource },
): Promise<void> {
  const copy = async (digest: Digest) => {
    const manifest = await source.read(digest, run.signal);
    await copyManifest(run, manifest, { isRoot: digest === graph.root, isPresent: present.has(digest) });
  };
  for (const level of graph.levels) {
    await Promise.all(level.map((digest) => run.guard(() => copy(digest))));
  }
}

async function copyManifest(
  run: TargetRun,
  manifest: Manifest,
  { isRoot, isPresent }: { readonly isRoot: boolean; readonly isPresent: boolean },
): Promise<void> {
  const event = { target: run.id, manifest, isRoot };
  const outcome = isPresent ? 'already-present' : 'copied';
  if (!isPresent) {
    await run.hook('beforeManifest', (hooks) => hooks.beforeManifest?.(event));
    await run.request('push manifest', manifest.digest, (signal) => run.store.pushManifest(manifest, signal));
  }
  run.manifestArrived(outcome);
  await run.hook('afterManifest', (hooks) => hooks.afterManifest?.({ ...event, outcome }));
}

/** Manifests that a target gives back wrong or mangled count as absent: pushing them is the repair. */
async function canRead(run: TargetRun, digest: Digest): Promise<boolean> {
  try {
    const manifest = await run.request('read manifest', digest, (signal) => run.store.readManifest(digest, signal));
    return manifest.digest === digest;
  } catch (error) {
    const { code } = error as CopyError;
    if (code === 'target-missing' || code === 'target-corrupt' || code === 'target-invalid') return false;
    throw error;
  }
}
