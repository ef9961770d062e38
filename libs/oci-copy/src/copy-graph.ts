import type { ContentReader, Digest, Manifest } from '@waybill/oci-model';
import pLimit from 'p-limit';
import { copyBlob } from './copy-blob.js';
import type { CopyError } from './copy-error.js';
import { copyManifests, findManifests } from './copy-manifest.js';
import type { Graph } from './graph.js';
import { LinkedAbort } from './linked-abort.js';
import { ManifestSource } from './manifest-source.js';
import { checkTargets, type CopyOptions, type CopyTarget, type Settings, settingsOf } from './options.js';
import type { CopyReport } from './report.js';
import { TargetRun } from './target-run.js';
import { inTransferOrder } from './transfer-order.js';
import { walkGraph } from './walk-graph.js';
import { writeTags } from './write-tags.js';

/** Blobs that are probed and mounted ahead of the transfers, as a multiple of those. */
const lookAhead = 4;

/**
 * Brings everything beneath `root` to all `targets`, reading each blob from `source` once.
 * At each target children are there before what names them, the root comes last, then the tags.
 * One bad blob, target or hook never stops the other targets: what became of each is in the report.
 *
 * Rejects with CopyError only when no target could begin: `arguments-invalid`, `aborted`,
 * or a `source-…` code when the root cannot be read. Nothing runs on after it has settled.
 */
export async function copyGraph(
  source: ContentReader,
  root: Digest,
  targets: readonly CopyTarget[],
  options: CopyOptions = {},
): Promise<CopyReport> {
  checkTargets(targets);
  const caller = new LinkedAbort(options.signal);
  try {
    return await copyAll(source, root, { targets, settings: settingsOf({ ...options, signal: caller.signal }) });
  } finally {
    caller.release();
  }
}

async function copyAll(
  source: ContentReader,
  root: Digest,
  { targets, settings }: { readonly targets: readonly CopyTarget[]; readonly settings: Settings },
): Promise<CopyReport> {
  const manifests = manifestsOf(source, settings);
  const rootManifest = await manifests.read(root);
  const runs = targets.map((target) => new TargetRun(target, settings));
  const graph = await walk(rootManifest, manifests, { runs, settings });
  if (graph !== undefined) {
    const copies = runs.map((run) => copyToTarget(run, graph, { rootManifest, manifests }));
    await Promise.all([copyBlobs(source, graph, { runs, settings }), ...copies]);
  }
  const reports = runs.map((run) => [run.id, run.report()] as const);
  return { root: rootManifest, targets: new Map(reports), foreignLayers: graph?.foreign ?? 0 };
}

function manifestsOf(source: ContentReader, settings: Settings): ManifestSource {
  const limit = pLimit(settings.manifestsInParallel);
  return new ManifestSource(source, { side: 'source' }, { settings, signal: settings.signal, limit, retries: settings.retries });
}

interface Copy {
  readonly runs: readonly TargetRun[];
  readonly settings: Settings;
}

/** A graph that cannot be read whole is copied to nobody: no target could ever be completed. */
async function walk(root: Manifest, manifests: ManifestSource, { runs, settings }: Copy): Promise<Graph | undefined> {
  try {
    return await walkGraph(root, { load: (digest, signal) => manifests.read(digest, signal), side: { side: 'source' }, settings });
  } catch (error) {
    for (const run of runs) run.fail(error as CopyError);
    return undefined;
  }
}

async function copyBlobs(source: ContentReader, graph: Graph, { runs, settings }: Copy): Promise<void> {
  const context = { source, settings, slots: pLimit(settings.blobsInParallel) };
  const ahead = pLimit(settings.blobsInParallel * lookAhead);
  await ahead.map(inTransferOrder(graph.blobs, settings.blobsInParallel), (blob) => copyBlob(blob, runs, context));
}

async function copyToTarget(
  run: TargetRun,
  graph: Graph,
  { rootManifest, manifests }: { readonly rootManifest: Manifest; readonly manifests: ManifestSource },
): Promise<void> {
  const [present] = await Promise.all([findManifests(run, graph), run.allBlobs(graph.blobs.length)]);
  await copyManifests(run, graph, { present, source: manifests });
  await run.guard(() => writeTags(run, rootManifest));
  run.finish();
}
