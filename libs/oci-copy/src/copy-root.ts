import type { Digest, Manifest } from '@waybill/oci-model';
import { copyBlobs } from './copy-blobs.js';
import type { CopyError } from './copy-error.js';
import { copyManifests, findManifests } from './copy-manifest.js';
import { type Graph, GraphTally } from './graph.js';
import type { ManifestSource } from './manifest-source.js';
import type { CopyTarget } from './options.js';
import { Part } from './part.js';
import { copyReferrers, ReferrerParts } from './referrers/copy-referrers.js';
import { searchReferrers } from './referrers/search-referrers.js';
import type { FoundReferrers } from './referrers/referrer.js';
import type { CopyReport } from './report.js';
import type { CopySession } from './session.js';
import { TargetRun } from './target-run.js';
import { inTransferOrder } from './transfer-order.js';
import { walkGraph } from './walk-graph.js';
import { writeTags } from './write-tags.js';

/** A target of one root. */
export interface RootTarget extends CopyTarget {
  /** Is everything beneath the root taken to be there? Then only what refers to it is brought. */
  readonly hasRoot?: boolean;
  /** Writes the tags when all that they need is there, instead of those of the target. Rejects with CopyError. */
  readonly writeTags?: typeof writeTags;
}

/** What the copies of one root to its targets share. */
interface RootCopy {
  readonly session: CopySession;
  readonly manifests: ManifestSource;
  readonly root: Manifest;
  readonly tally: GraphTally;
}

const noReferrers: FoundReferrers = { referrers: [], unlisted: [] };

/** Brings one root to its targets. Rejects with CopyError when the root cannot be read. */
export async function copyRoot(session: CopySession, root: Digest, targets: readonly RootTarget[]): Promise<CopyReport> {
  const manifests = session.manifests();
  const copy: RootCopy = { session, manifests, root: await manifests.read(root), tally: new GraphTally(root, session.settings) };
  const runs = targets.map((target) => ({ run: new TargetRun(target, session), target }));
  const graph = await orFail(runs, undefined, () => walk(copy));
  const found = graph === undefined ? noReferrers : await copyToTargets(graph, runs, copy);
  if (graph === undefined) await Promise.all(runs.map(({ run }) => settle(run, session)));
  await Promise.all(runs.map(({ run }) => run.ended()));
  const reports = runs.map(({ run }) => [run.id, run.report()] as const);
  return { root: copy.root, targets: new Map(reports), foreignLayers: graph?.foreign ?? 0, unlisted: found.unlisted };
}

interface RootRun {
  readonly run: TargetRun;
  readonly target: RootTarget;
}

async function walk({ session, manifests, root, tally }: RootCopy): Promise<Graph> {
  const load = (digest: Digest, signal: AbortSignal) => manifests.read(digest, signal);
  return await walkGraph(root, { load, side: { side: 'source' }, settings: session.settings, tally });
}

/** What refers to the graph is looked for while the graph is copied. */
async function copyToTargets(graph: Graph, runs: readonly RootRun[], copy: RootCopy): Promise<FoundReferrers> {
  const { session } = copy;
  const found = orFail(runs, noReferrers, () => searchReferrers(graph, copy));
  const parts = found.then(
    ({ referrers }) =>
      new ReferrerParts(
        referrers,
        runs.map(({ run }) => run),
      ),
  );
  const mains = runs.map((each) => ({ ...each, part: new Part(each.run, true) }));
  await Promise.all([
    copyBlobs(jobsOf(graph, mains, session), session),
    parts.then((ofReferrers) => ofReferrers.copyBlobs(session)),
    ...mains.map((main) => copyToTarget(main, graph, { ...copy, parts })),
  ]);
  return await found;
}

/** A graph that cannot be read whole is copied to nobody: no target could ever be completed. */
async function orFail<T>(runs: readonly RootRun[], instead: T, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    for (const { run } of runs) run.fail(error as CopyError);
    return instead;
  }
}

async function copyToTarget(
  { run, part, target }: RootRun & { readonly part: Part },
  graph: Graph,
  copy: RootCopy & { readonly parts: Promise<ReferrerParts> },
): Promise<void> {
  const context = { session: copy.session, manifests: copy.manifests, root: graph.root };
  if (target.hasRoot !== true) {
    const [present] = await Promise.all([findManifests(part, graph), part.allBlobs(graph.blobs.length)]);
    await copyManifests(part, graph, { ...context, present });
  }
  const parts = (await copy.parts).of(run);
  await copyReferrers(run, { parts, main: graph }, context);
  const write = target.writeTags ?? writeTags;
  await part.guard(() => write(part, copy.root, context));
  await settle(run, copy.session);
}

/** Nothing more is done at the target, whatever goes on at the others. */
async function settle(run: TargetRun, { settings }: CopySession): Promise<void> {
  run.finish();
  await run.ended();
  settings.onSettled(run.id, run.report());
}

function jobsOf({ blobs }: Graph, mains: readonly (RootRun & { readonly part: Part })[], { settings }: CopySession) {
  const parts = mains.filter(({ target }) => target.hasRoot !== true).map(({ part }) => part);
  return inTransferOrder(blobs, settings.blobsInParallel).map((blob) => ({ blob, parts }));
}
