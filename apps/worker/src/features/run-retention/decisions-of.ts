import type { Digest, Tag } from '@waybill/oci-model';
import type { NewDecision, RepositoryOutcome } from '@waybill/persistence';
import {
  PlanHasher,
  type Reason,
  type RepositoryPlan,
  type RepositorySnapshot,
  type SnapshotManifest,
  type Steps,
} from '@waybill/retention';

/** What the counts of a run say of one repository. A manifest that is kept counts under its first reason. */
export function* outcomeSteps(plan: RepositoryPlan): Steps<RepositoryOutcome> {
  const kept: Record<string, number> = {};
  const tags = new Map(plan.tags.map((tag) => [tag.tag, tag.reasons]));
  let unknown = 0;
  for (const { action, isUnknown, reasons } of plan.manifests) {
    if (action !== 'keep') continue;
    const code = (keptForItsTag(reasons, tags) ?? reasons)[0]?.code ?? 'no-rule';
    kept[code] = (kept[code] ?? 0) + 1;
    if (isUnknown) unknown += 1;
  }
  const hasher = new PlanHasher();
  yield* hasher.steps(plan);
  const { artifacts, removals } = plan.totals;
  return {
    planHash: hasher.digest().slice('sha256:'.length),
    artifacts,
    removals,
    unknown,
    bytesAtMost: plan.reclaimableBytesAtMost,
    kept,
  };
}

/** That a tag of it stays says less than why that stays. */
function keptForItsTag([first]: readonly Reason[], tags: ReadonlyMap<string, readonly Reason[]>): readonly Reason[] | undefined {
  return first?.code === 'tag-kept' && first.tag !== undefined ? tags.get(first.tag) : undefined;
}

/**
 * The decisions that are written: tags that go, then manifests in the order in which they would be deleted, and after them
 * what stays, where `detail` asks for it.
 */
export function* decisionsOf(plan: RepositoryPlan, snapshot: RepositorySnapshot, detail: 'removals' | 'all'): Generator<NewDecision> {
  const goes = plan.manifests.length > 0 && (plan.deletionOrder.length > 0 || detail === 'all');
  const manifests = new Map(goes ? snapshot.manifests.map((manifest) => [manifest.digest, manifest]) : []);
  const decided = new Map(goes ? plan.manifests.map((decision) => [decision.digest, decision]) : []);
  const write = writerOf(manifests);
  for (const tag of plan.tags) if (tag.action !== 'keep') yield write({ ...tag, verdict: tag.action });
  for (const digest of plan.deletionOrder) {
    const decision = decided.get(digest);
    if (decision !== undefined && decision.action !== 'keep') yield write({ ...decision, verdict: decision.action });
  }
  if (detail !== 'all') return;
  for (const tag of plan.tags) if (tag.action === 'keep') yield write({ ...tag, verdict: 'keep' });
  for (const decision of plan.manifests) if (decision.action === 'keep') yield write({ ...decision, verdict: 'keep' });
}

interface Decided extends Pick<NewDecision, 'verdict' | 'reasons' | 'isUnknown'> {
  readonly digest: string;
  readonly tag?: string;
  readonly archiveTo?: readonly string[];
}

/** Digests and tags are what the inventory read as such. */
function writerOf(manifests: ReadonlyMap<string, SnapshotManifest>): (decided: Decided) => NewDecision {
  return ({ digest, tag = '', verdict, archiveTo = [], reasons, isUnknown }) => ({
    digest: digest as Digest,
    tag: tag as Tag | '',
    ...{ verdict, archiveTo, reasons, isUnknown, bytes: tag === '' ? bytesOf(manifests.get(digest)) : 0 },
  });
}

function bytesOf(manifest: SnapshotManifest | undefined): number {
  if (manifest === undefined) return 0;
  let bytes = manifest.size;
  for (const { size } of manifest.blobs) bytes += size;
  return bytes;
}
