import type { CompiledPolicy } from '../compile/compile-policy.js';
import type { ArtifactGraph } from '../graph/artifact-graph.js';
import type { CompiledProtections } from '../protections.js';
import type { Reason } from '../reasons.js';
import type { Candidates } from '../rules/candidates.js';
import type { Moment } from '../rules/criteria.js';
import { latestArrivals } from '../rules/most-recent.js';
import type { RepositorySnapshot, SnapshotManifest } from '../snapshot.js';
import { SparseLists } from '../sparse-lists.js';
import { crawlStart } from './repository-protections.js';

/** Everything that a protection of one artifact or tag is decided by. */
export interface Protecting {
  readonly snapshot: RepositorySnapshot;
  readonly graph: ArtifactGraph;
  readonly candidates: Candidates;
  readonly protections: CompiledProtections;
  /** Those that select the repository. */
  readonly policies: readonly CompiledPolicy[];
  readonly moment: Moment;
}

const nobody: readonly string[] = [];

/** Why manifests are kept, whatever the rules say; such a manifest keeps its tags too. */
export function artifactProtections(protecting: Protecting): SparseLists<Reason> {
  const { snapshot, graph, protections, moment } = protecting;
  const lists = new SparseLists<Reason>(graph.manifests.length);
  const crawled = crawlStart(snapshot, moment.now) ?? Number.NEGATIVE_INFINITY;
  for (const [number, manifest] of graph.manifests.entries()) {
    const { digest } = manifest;
    for (const id of protections.digestHolds.get(digest) ?? nobody) lists.add(number, { code: 'hold', id });
    for (const id of protections.promotions.get(digest) ?? nobody) lists.add(number, { code: 'promotion-running', id });
    // What a replica must hold is said by its prod.
    if (snapshot.role !== 'replica' && protections.provenanceTargets.has(digest)) lists.add(number, { code: 'provenance-target' });
    // Also of what is no number.
    if (!(manifest.firstSeenAt < crawled)) lists.add(number, { code: 'younger-than-crawl' });
    if (graph.lacksSubject[number] === 1) lists.add(number, { code: 'subject-absent' });
    protectPromoted(protecting, number, lists);
    const atProd = prodProtection(snapshot, manifest, moment);
    if (atProd !== undefined) lists.add(number, atProd);
  }
  protectUsed(protecting, lists);
  protectMinimum(protecting, lists);
  return lists;
}

/** Why tags are kept, beside what keeps their manifests. */
export function tagProtections({ snapshot, graph, protections, policies, moment }: Protecting): SparseLists<Reason> {
  const lists = new SparseLists<Reason>(graph.tags.length);
  const holds = protections.tagHolds.get(snapshot.repository);
  const crawled = crawlStart(snapshot, moment.now) ?? Number.NEGATIVE_INFINITY;
  for (const [at, { name, seenSince }] of graph.tags.entries()) {
    if (graph.isReserved[at] === 1) continue;
    for (const id of holds?.get(name) ?? []) lists.add(at, { code: 'hold', id, tag: name });
    if (!(seenSince < crawled)) lists.add(at, { code: 'younger-than-crawl' });
    const manifest = graph.manifests[graph.tagged[at] ?? -1];
    if (protections.isImmutableTag(name) && !isLeftAtReplica(snapshot, manifest, moment)) lists.add(at, { code: 'immutable-tag' });
    for (const id of protections.pathsNaming(snapshot.repository, name)) lists.add(at, { code: 'named-by-path', id });
    for (const policy of policies) {
      if (policy.protect.isImmutable(name)) lists.add(at, { code: 'immutable-tag', policy: policy.name });
    }
  }
  return lists;
}

function protectPromoted({ graph, policies, moment }: Protecting, number: number, lists: SparseLists<Reason>): void {
  for (const { registry, at } of graph.manifests[number]?.promotedTo ?? []) {
    const promoted = moment.times.sane(at) ?? Number.POSITIVE_INFINITY;
    for (const { name, protect } of policies) {
      if (promoted >= moment.now - protect.promotedWithinMs) lists.add(number, { code: 'promoted-recently', policy: name, id: registry });
    }
  }
}

/** A replica holds at least what its prod holds; what is known to be gone there is the replica's own matter. */
function prodProtection(snapshot: RepositorySnapshot, manifest: SnapshotManifest, { times }: Moment): Reason | undefined {
  if (snapshot.role !== 'replica') return undefined;
  const since = manifest.absences.find(({ registry }) => registry === snapshot.replicaOf)?.since;
  if (since === 'present') return { code: 'present-at-prod' };
  return times.sane(since ?? 'unknown') === undefined ? { code: 'absence-unknown' } : undefined;
}

/** A replica's tags are immutable as its prod's are, as long as its prod has them. */
function isLeftAtReplica(snapshot: RepositorySnapshot, manifest: SnapshotManifest | undefined, moment: Moment): boolean {
  return snapshot.role === 'replica' && manifest !== undefined && prodProtection(snapshot, manifest, moment) === undefined;
}

/** Containers run a platform's manifest, and were deployed from the index above it: the next node asks for that. */
function protectUsed({ graph, protections }: Protecting, lists: SparseLists<Reason>): void {
  const reached = new Map<number, string>();
  for (const [number, { digest }] of graph.manifests.entries()) {
    const reporter = protections.inUse.get(digest);
    if (reporter === undefined) continue;
    lists.add(number, { code: 'in-use', id: reporter });
    reached.set(number, digest);
  }
  // A map is walked to its end though it grows on the way: every index is reached once.
  for (const [number, digest] of reached) {
    for (const parent of graph.parents.of(number)) {
      if (reached.has(parent)) continue;
      reached.set(parent, digest);
      lists.add(parent, { code: 'in-use', digest });
    }
  }
}

function protectMinimum({ candidates, policies, moment }: Protecting, lists: SparseLists<Reason>): void {
  const tagged = candidates.all.filter(({ tag }) => tag !== undefined);
  for (const { name, protect } of policies) {
    if (protect.minKeep === 0) continue;
    const latest = latestArrivals(tagged, protect.minKeep, moment.times);
    for (const number of new Set(latest.map((candidate) => candidate.number))) lists.add(number, { code: 'min-keep', policy: name });
  }
}
