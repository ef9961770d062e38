import { inOrder, keptForWantOfKnowledge, type Reason } from '../reasons.js';
import type { ArtifactDecision, TagDecision } from '../repository-plan.js';
import type { SnapshotTag } from '../snapshot.js';
import type { Deciding } from './decide-artifacts.js';

/** By tag: why it stays, whatever becomes of its digest. Empty for what is to go and for reserved tags. */
export function ownTagReasons({
  graph,
  candidates,
  judgements,
  fates,
  policies,
}: Omit<Deciding, 'links' | 'ownTagReasons'>): readonly (readonly Reason[])[] {
  return graph.tags.map((_, at) => {
    const judgement = judgements[candidates.ofTag[at] ?? -1];
    if (judgement === undefined) return [];
    const { keeps, notes, removals } = judgement;
    const reasons = [...fates.ofRepository, ...fates.ofArtifacts.of(graph.tagged[at] ?? -1), ...fates.ofTags.of(at), ...keeps, ...notes];
    if (policies.length === 0) reasons.push({ code: 'no-policy' });
    else if (keeps.length + removals.length === 0) reasons.push({ code: 'no-rule' });
    return reasons;
  });
}

/** A decision and its reasons for every tag: it goes with its digest, is taken off it, or stays. */
export function decideTags(deciding: Deciding, artifacts: readonly ArtifactDecision[]): readonly TagDecision[] {
  return deciding.graph.tags.map((tag, at) => decideTag(deciding, artifacts, tag, at));
}

function decideTag(deciding: Deciding, artifacts: readonly ArtifactDecision[], tag: SnapshotTag, at: number): TagDecision {
  const { graph, candidates, judgements, fates } = deciding;
  const artifact = artifacts[graph.tagged[at] ?? -1];
  if (artifact === undefined) return keep(tag, fates.ofRepository);
  const place = candidates.ofTag[at] ?? -1;
  if (artifact.action !== 'keep') {
    const own = judgements[place]?.removals.map(({ removed }) => removed) ?? [];
    return decision(tag, artifact.action, own.length === 0 ? artifact.reasons : inOrder(own));
  }
  if (fates.fates[place] === 'loses-tag') {
    const reasons = inOrder(judgements[place]?.removals.map(({ removed }) => removed) ?? []);
    return decision(tag, 'untag', reasons);
  }
  return keep(tag, keepReasons(deciding, artifact, at));
}

function keep({ name: tag, digest }: SnapshotTag, reasons: readonly Reason[]): TagDecision {
  return { tag, digest, action: 'keep', isUnknown: keptForWantOfKnowledge(reasons), reasons };
}

function decision({ name: tag, digest }: SnapshotTag, action: TagDecision['action'], reasons: readonly Reason[]): TagDecision {
  return { tag, digest, action, isUnknown: false, reasons };
}

function keepReasons(
  { graph, candidates, fates, judgements, ownTagReasons }: Deciding,
  artifact: ArtifactDecision,
  at: number,
): readonly Reason[] {
  // A reserved tag has no reasons of its own.
  if (graph.isReserved[at] === 1) return artifact.reasons;
  const place = candidates.ofTag[at] ?? -1;
  const reasons = [...(ownTagReasons[at] ?? [])];
  // It was to go, and its digest stays for another's sake.
  if (fates.fates[place] === 'goes') reasons.push(...artifact.reasons.filter(isOfTheDigest));
  reasons.push(...(judgements[place]?.removals ?? []).map(({ overruled }) => overruled));
  return inOrder(reasons);
}

const ofTheDigest: ReadonlySet<Reason['code']> = new Set(['tag-kept', 'untag-only', 'child-of', 'referrer-of', 'subject-of', 'rollback']);

function isOfTheDigest({ code }: Reason): boolean {
  return ofTheDigest.has(code);
}
