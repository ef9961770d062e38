import type { Digest, Manifest } from '@waybill/oci-model';
import type { CopyError } from './copy-error.js';
import type { Graph } from './graph.js';
import type { Part } from './part.js';
import { type RepairContext, withRepair } from './repair.js';
import type { ManifestOutcome, TargetRun } from './target-run.js';

/** What pushing manifests needs. */
export interface ManifestContext extends RepairContext {
  /** The root of the whole copy; referrers have another one of their own. */
  readonly root: Digest;
}

/**
 * Asks which manifests of the graph the target can give back whole. That says nothing
 * about what is beneath them: a collection may have taken a child and left the parent.
 */
export async function findManifests(part: Part, graph: Graph): Promise<ReadonlySet<Digest>> {
  const { run } = part;
  const present = new Set<Digest>();
  const look = async (digest: Digest) => {
    if (run.outcomeOfManifest(digest) !== undefined || (await canRead(run, digest))) present.add(digest);
  };
  await Promise.all(graph.levels.flat().map((digest) => part.guard(() => look(digest))));
  return present;
}

/**
 * Pushes the manifests that are not `present`, children before the manifests that name them.
 * Never rejects: a failure ends the part.
 */
export async function copyManifests(
  part: Part,
  graph: Graph,
  context: ManifestContext & { readonly present: ReadonlySet<Digest> },
): Promise<void> {
  const copy = async (digest: Digest) => {
    if (context.present.has(digest)) await arrived(part.run, await read(digest), { root: context.root, outcome: 'already-present' });
    else await pushManifest(part, await read(digest), context);
  };
  const read = (digest: Digest) => context.manifests.read(digest, part.run.signal);
  for (const level of graph.levels) {
    await Promise.all(level.map((digest) => part.guard(() => copy(digest))));
  }
}

/** Pushes one manifest, everything beneath which is there or seems to be. Rejects with CopyError. */
export async function pushManifest(part: Part, manifest: Manifest, context: ManifestContext): Promise<void> {
  const { run } = part;
  await run.hook('beforeManifest', (hooks) =>
    hooks.beforeManifest?.({ target: run.id, manifest, isRoot: manifest.digest === context.root }),
  );
  await withRepair(part, manifest, {
    ...context,
    pushChild: (child) => pushManifest(part, child, context),
    send: () => run.request('push manifest', manifest.digest, (signal) => run.store.pushManifest(manifest, signal)),
  });
  await arrived(run, manifest, { root: context.root, outcome: 'copied' });
}

async function arrived(
  run: TargetRun,
  manifest: Manifest,
  { root, outcome }: { readonly root: Digest; readonly outcome: ManifestOutcome },
): Promise<void> {
  const isNews = run.manifestArrived(manifest.digest, outcome);
  // Every push is told of, also one that a repair makes again: it was announced.
  if (!isNews && outcome === 'already-present') return;
  const event = { target: run.id, manifest, isRoot: manifest.digest === root, outcome };
  await run.hook('afterManifest', (hooks) => hooks.afterManifest?.(event));
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
