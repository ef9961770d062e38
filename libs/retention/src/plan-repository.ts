import { roleMatrix } from '@waybill/topology';
import { asKeeper, type CompiledPolicy } from './compile/compile-policy.js';
import { buildGraph } from './graph/artifact-graph.js';
import type { Protecting } from './keep/artifact-protections.js';
import { decideArtifacts } from './keep/decide-artifacts.js';
import { decideTags, ownTagReasons } from './keep/decide-tags.js';
import { decideFates } from './keep/fates.js';
import { LinkReasons } from './keep/link-reasons.js';
import type { CompiledProtections } from './protections.js';
import { reclaimableBytes } from './reclaimable-bytes.js';
import type { PlanTotals, RepositoryPlan } from './repository-plan.js';
import { candidatesOf } from './rules/candidates.js';
import { judgeCandidates } from './rules/judge-candidates.js';
import { Times } from './rules/times.js';
import type { RepositorySnapshot } from './snapshot.js';
import { drained, type Steps } from './steps.js';

/**
 * Decides about every manifest and tag of one repository, and says why.
 *
 * What is kept is decided first: by what is not known of the repository, by protections, by keep rules, by the lack
 * of a rule that removes; then everything that a kept thing needs or that belongs to it.
 * Only what is left goes, and each of it hangs on an artifact of which every tag is condemned.
 *
 * Nothing is read and no clock is asked: equal arguments give equal plans, in whatever order they list things.
 * A repository of a million manifests takes seconds: `planningSteps` is for whoever must answer others meanwhile.
 * Time and memory grow with artifacts and edges.
 *
 * @param policies those of the registry; the ones in which the repository is not selected are left out
 * @param now milliseconds since 1970, by the clock that the snapshot's times are of
 * @throws RetentionError `snapshot-invalid`: nothing may be deleted from this repository
 */
export function planRepository(
  policies: readonly CompiledPolicy[],
  snapshot: RepositorySnapshot,
  protections: CompiledProtections,
  now: number,
): RepositoryPlan {
  return drained(planningSteps(policies, snapshot, protections, now));
}

/** The same in steps, none of which takes longer than to look once at everything in the repository. */
export function* planningSteps(
  policies: readonly CompiledPolicy[],
  snapshot: RepositorySnapshot,
  protections: CompiledProtections,
  now: number,
): Steps<RepositoryPlan> {
  const selecting = policies.filter((policy) => policy.selects(snapshot.repository)).map((policy) => asRoleAllows(policy, snapshot));
  const graph = buildGraph(snapshot);
  yield;
  const moment = { now, times: new Times(graph, snapshot.knowledge, now) };
  const candidates = candidatesOf(graph, snapshot.knowledge);
  const judgements = yield* judgeCandidates(selecting, snapshot.repository, candidates.all, moment);
  const protecting: Protecting = { snapshot, graph, candidates, protections, policies: selecting, moment };
  const fates = decideFates(protecting, judgements);
  yield;
  const judged = { ...protecting, judgements, fates };
  const deciding = { ...judged, ownTagReasons: ownTagReasons(judged), links: new LinkReasons(graph, fates.closure) };
  yield;
  const { decisions, order } = yield* decideArtifacts(deciding);
  const tags = decideTags(deciding, decisions);
  yield;
  return {
    registry: snapshot.registry,
    repository: snapshot.repository,
    manifests: decisions,
    tags,
    deletionOrder: order.flatMap((number) => graph.manifests[number]?.digest ?? []),
    reclaimableBytesAtMost: reclaimableBytes(graph.manifests, (number) => fates.closure.isKept(number)),
    totals: totalsOf({ manifests: decisions, tags }),
  };
}

/** From an archive something goes only where somebody wrote so; a default of the role is no such word. */
function asRoleAllows(policy: CompiledPolicy, { role }: RepositorySnapshot): CompiledPolicy {
  return roleMatrix[role].deletion === 'explicit-rule' && policy.origin !== 'declared' ? asKeeper(policy) : policy;
}

function totalsOf({ manifests, tags }: Pick<RepositoryPlan, 'manifests' | 'tags'>): PlanTotals {
  let artifacts = 0;
  let removals = 0;
  for (const { isLogical, action } of manifests) {
    if (!isLogical) continue;
    artifacts += 1;
    if (action !== 'keep') removals += 1;
  }
  for (const { action } of tags) if (action === 'untag') removals += 1;
  return { artifacts, removals };
}
