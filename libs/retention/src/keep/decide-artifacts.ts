import { deletionOrder } from '../graph/deletion-order.js';
import { inOrder, keepsNothing, keptForWantOfKnowledge, type Reason, type ReasonCode } from '../reasons.js';
import type { ArtifactDecision } from '../repository-plan.js';
import { isLogical } from '../rules/candidates.js';
import type { Judgement } from '../rules/judge-candidates.js';
import type { Protecting } from './artifact-protections.js';
import { fateBy, type Fates } from './fates.js';

/** What decisions are read from. */
export interface Deciding extends Protecting {
  readonly judgements: readonly Judgement[];
  readonly fates: Fates;
  /** By tag: why it stays, whatever becomes of its digest. */
  readonly ownTagReasons: readonly (readonly Reason[])[];
}

export interface ArtifactDecisions {
  /** By manifest. */
  readonly decisions: readonly ArtifactDecision[];
  /** Numbers of what is removed. */
  readonly order: readonly number[];
}

/** A decision and its reasons for every manifest, and the order in which they go. */
export function decideArtifacts(deciding: Deciding): ArtifactDecisions {
  const { graph, fates } = deciding;
  const order = deletionOrder(graph, (number) => !fates.closure.isKept(number));
  const archives = archivesOf(deciding, order);
  const decisions = graph.manifests.map(({ digest }, number): ArtifactDecision => {
    const known = { digest, isLogical: isLogical(graph, number) };
    if (fates.closure.isKept(number)) {
      const reasons = keepReasons(deciding, number);
      return { ...known, action: 'keep', isUnknown: isUnknown(deciding, number, reasons), reasons };
    }
    const archiveTo = archives.get(number);
    const reasons = removalReasons(deciding, number);
    if (archiveTo === undefined) return { ...known, action: 'delete', isUnknown: false, reasons };
    return { ...known, action: 'archive', archiveTo: [...archiveTo].sort(), isUnknown: false, reasons };
  });
  return { decisions, order };
}

/** Where each removed manifest must be first: where its rules say, and where what it follows goes. */
function archivesOf(deciding: Deciding, order: readonly number[]): ReadonlyMap<number, ReadonlySet<string>> {
  const { graph, fates } = deciding;
  const archives = new Map<number, Set<string>>();
  for (const number of order) {
    const to = new Set(judgementsOf(deciding, number).flatMap(({ removals }) => removals.flatMap((removal) => removal.to ?? [])));
    for (const owners of [graph.parents, graph.subjects]) {
      for (const owner of owners.of(number)) {
        if (!fates.closure.isKept(owner)) for (const registry of archives.get(owner) ?? []) to.add(registry);
      }
    }
    if (to.size > 0) archives.set(number, to);
  }
  return archives;
}

function removalReasons(deciding: Deciding, number: number): readonly Reason[] {
  const { graph } = deciding;
  const reasons = judgementsOf(deciding, number).flatMap(({ removals }) => removals.map(({ removed }) => removed));
  reasons.push(...linkReason(deciding, 'child-of-removed', graph.parents.of(number)));
  reasons.push(...linkReason(deciding, 'referrer-of-removed', graph.subjects.of(number)));
  return inOrder(reasons);
}

function keepReasons(deciding: Deciding, number: number): readonly Reason[] {
  const { graph, fates, policies } = deciding;
  const reasons: Reason[] = [...fates.ofRepository, ...fates.ofArtifacts.of(number)];
  if (policies.length === 0) reasons.push({ code: 'no-policy' });
  reasons.push(...tagReasons(deciding, number), ...untaggedReasons(deciding, number));
  reasons.push(...linkReason(deciding, 'child-of', graph.parents.of(number)));
  reasons.push(...linkReason(deciding, 'referrer-of', graph.subjects.of(number)));
  const referrer = graph.manifests[fates.closure.subjectOf.get(number) ?? -1];
  if (referrer !== undefined) reasons.push({ code: 'subject-of', digest: referrer.digest });
  reasons.push(...firstOf('rollback', [...new Set(fates.closure.rollbackOf.get(number))].sort()));
  return reasons.length === 0 ? [{ code: 'no-rule' }] : inOrder(reasons);
}

/** The tags that keep it, and what would have removed it under them. */
function tagReasons(deciding: Deciding, number: number): readonly Reason[] {
  const { graph, candidates, judgements, fates } = deciding;
  const nameOf = (at: number): string => graph.tags[at]?.name ?? '';
  const staying = stayingTags(deciding, number).map(nameOf);
  const untagged: string[] = [];
  const overruled: Reason[] = [];
  for (const at of graph.userTags.of(number)) {
    const place = candidates.ofTag[at] ?? -1;
    if (fates.fates[place] === 'loses-tag') untagged.push(nameOf(at));
    else for (const removal of judgements[place]?.removals ?? []) overruled.push(removal.overruled);
  }
  return [...firstOf('tag-kept', staying), ...firstOf('untag-only', untagged), ...overruled];
}

/** Those that stay for a reason that is not the manifest's own. */
function stayingTags({ graph, candidates, judgements, fates }: Deciding, number: number): readonly number[] {
  return Array.from(graph.userTags.of(number)).filter((at) => {
    const judgement = judgements[candidates.ofTag[at] ?? -1];
    return fates.ofTags.has(at) || (judgement !== undefined && fateBy(judgement) === 'stays');
  });
}

/** Does nothing keep it but what is not known, of itself and of its tags? */
function isUnknown(deciding: Deciding, number: number, reasons: readonly Reason[]): boolean {
  const own = reasons.filter(({ code }) => code !== 'tag-kept');
  const tags = stayingTags(deciding, number).map((at) => deciding.ownTagReasons[at] ?? []);
  if (tags.length === 0) return keptForWantOfKnowledge(own);
  return tags.every(keptForWantOfKnowledge) && (own.every(keepsNothing) || keptForWantOfKnowledge(own));
}

function untaggedReasons({ candidates, judgements, fates, policies }: Deciding, number: number): readonly Reason[] {
  const place = candidates.ofUntagged[number] ?? -1;
  const judgement = judgements[place];
  if (judgement === undefined) return [];
  const reasons = [...judgement.keeps, ...judgement.notes, ...judgement.removals.map(({ overruled }) => overruled)];
  const isUnmatched = judgement.keeps.length + judgement.removals.length === 0;
  return isUnmatched && policies.length > 0 && fates.ofArtifacts.of(number).length === 0 ? [...reasons, { code: 'no-rule' }] : reasons;
}

/** Links of one kind, kept with kept and removed with removed: the first by digest, and how many more there are. */
function linkReason({ graph, fates }: Deciding, code: ReasonCode, others: Int32Array): readonly Reason[] {
  const isKept = code === 'child-of' || code === 'referrer-of';
  let first = -1;
  let count = 0;
  for (const other of others) {
    if (fates.closure.isKept(other) !== isKept) continue;
    count += 1;
    if (first < 0 || other < first) first = other;
  }
  const digest = graph.manifests[first]?.digest;
  return digest === undefined ? [] : [{ code, digest, ...moreThanOne(count) }];
}

function firstOf(code: ReasonCode, tags: readonly string[]): readonly Reason[] {
  const [tag] = tags;
  return tag === undefined ? [] : [{ code, tag, ...moreThanOne(tags.length) }];
}

function moreThanOne(count: number): { readonly more?: number } {
  return count > 1 ? { more: count - 1 } : {};
}

function judgementsOf({ graph, candidates, judgements }: Deciding, number: number): readonly Judgement[] {
  const places = Array.from(graph.userTags.of(number), (at) => candidates.ofTag[at] ?? -1);
  return [...places, candidates.ofUntagged[number] ?? -1].flatMap((place) => judgements[place] ?? []);
}
