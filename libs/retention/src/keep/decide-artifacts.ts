import { deletionOrder } from '../graph/deletion-order.js';
import { inOrder, keepsNothing, keptForWantOfKnowledge, type Reason, type ReasonCode } from '../reasons.js';
import type { ArtifactDecision } from '../repository-plan.js';
import { isLogical } from '../rules/candidates.js';
import type { Judgement } from '../rules/judge-candidates.js';
import { type Steps, stepSize } from '../steps.js';
import type { Protecting } from './artifact-protections.js';
import { fateBy, type Fates } from './fates.js';
import type { LinkReasons } from './link-reasons.js';

/** What decisions are read from. */
export interface Deciding extends Protecting {
  readonly judgements: readonly Judgement[];
  readonly fates: Fates;
  /** By tag: why it stays, whatever becomes of its digest. */
  readonly ownTagReasons: readonly (readonly Reason[])[];
  readonly links: LinkReasons;
}

export interface ArtifactDecisions {
  /** By manifest. */
  readonly decisions: readonly ArtifactDecision[];
  /** Numbers of what is removed. */
  readonly order: readonly number[];
}

/** A decision and its reasons for every manifest, and the order in which they go. */
export function* decideArtifacts(deciding: Deciding): Steps<ArtifactDecisions> {
  const { graph, fates } = deciding;
  const order = deletionOrder(graph, (number) => !fates.closure.isKept(number));
  const archives = archivesOf(deciding, order);
  const decisions: ArtifactDecision[] = [];
  for (const [number, { digest }] of graph.manifests.entries()) {
    const isKept = fates.closure.isKept(number);
    decisions.push(isKept ? keep(deciding, digest, number) : remove(deciding, digest, number, archives.get(number)));
    if (decisions.length % stepSize === 0) yield;
  }
  return { decisions, order };
}

function keep(deciding: Deciding, digest: string, number: number): ArtifactDecision {
  const reasons = keepReasons(deciding, number);
  return {
    digest,
    action: 'keep',
    isUnknown: isUnknown(deciding, number, reasons),
    isLogical: isLogical(deciding.graph, number),
    reasons,
  };
}

function remove(deciding: Deciding, digest: string, number: number, archives: ReadonlySet<string> | undefined): ArtifactDecision {
  const reasons = removalReasons(deciding, number);
  const isOne = isLogical(deciding.graph, number);
  if (archives === undefined) return { digest, action: 'delete', isUnknown: false, isLogical: isOne, reasons };
  return { digest, action: 'archive', isUnknown: false, isLogical: isOne, reasons, archiveTo: [...archives].sort() };
}

/** Where each removed manifest must be first: where its rules say, and where what it follows goes. */
function archivesOf(deciding: Deciding, order: readonly number[]): ReadonlyMap<number, ReadonlySet<string>> {
  const { graph, fates } = deciding;
  const archives = new Map<number, Set<string>>();
  for (const number of order) {
    const to = new Set<string>();
    for (const { removals } of judgementsOf(deciding, number)) {
      for (const removal of removals) if (removal.to !== undefined) to.add(removal.to);
    }
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
  const links = deciding.links.ofRemoved(number);
  const judgements = judgementsOf(deciding, number);
  if (judgements.length === 0) return inOrder(links);
  const reasons = new Set(judgements.flatMap(({ removals }) => removals.map(({ removed }) => removed)));
  return inOrder([...reasons, ...links]);
}

function keepReasons(deciding: Deciding, number: number): readonly Reason[] {
  const { graph, fates, policies } = deciding;
  const links = deciding.links.ofKept(number);
  if (links.length > 0 && isKeptByLinksAlone(deciding, number)) return inOrder(links);
  const reasons: Reason[] = [...fates.ofRepository, ...fates.ofArtifacts.of(number)];
  if (policies.length === 0) reasons.push({ code: 'no-policy' });
  if (graph.userTags.has(number)) reasons.push(...tagReasons(deciding, number));
  reasons.push(...untaggedReasons(deciding, number));
  reasons.push(...links);
  const referrer = fates.closure.subjectOf.get(number);
  if (referrer !== undefined) reasons.push({ code: 'subject-of', ...digestOf(deciding, referrer) });
  const rollbacks = fates.closure.rollbackOf.get(number);
  if (rollbacks !== undefined) reasons.push(...firstOf('rollback', [...new Set(rollbacks)].sort()));
  return reasons.length === 0 ? noRule : inOrder(reasons);
}

/** Nothing keeps most of what an index lists, and of what refers to something, but that. */
function isKeptByLinksAlone({ graph, candidates, fates, policies }: Deciding, number: number): boolean {
  if (candidates.ofUntagged[number] !== -1 || graph.userTags.has(number) || fates.ofArtifacts.has(number)) return false;
  if (policies.length === 0 || fates.ofRepository.length > 0) return false;
  return !fates.closure.subjectOf.has(number) && !fates.closure.rollbackOf.has(number);
}

const noRule: readonly Reason[] = [{ code: 'no-rule' }];

/** The tags that keep it, and what would have removed it under them. */
function tagReasons(deciding: Deciding, number: number): readonly Reason[] {
  const { graph, candidates, judgements, fates } = deciding;
  const nameOf = (at: number): string => graph.tags[at]?.name ?? '';
  const staying = stayingTags(deciding, number).map(nameOf);
  const untagged: string[] = [];
  const overruled = new Set<Reason>();
  for (const at of graph.userTags.of(number)) {
    const place = candidates.ofTag[at] ?? -1;
    if (fates.fates[place] === 'loses-tag') untagged.push(nameOf(at));
    else for (const removal of judgements[place]?.removals ?? []) overruled.add(removal.overruled);
  }
  return [...firstOf('tag-kept', staying), ...firstOf('untag-only', untagged), ...overruled];
}

/** Those that stay for a reason that is not the manifest's own. */
function stayingTags({ graph, candidates, judgements, fates }: Deciding, number: number): readonly number[] {
  return graph.userTags.of(number).filter((at) => {
    const judgement = judgements[candidates.ofTag[at] ?? -1];
    return fates.ofTags.has(at) || (judgement !== undefined && fateBy(judgement) === 'stays');
  });
}

/** Does nothing keep it but what is not known, of itself and of its tags? */
function isUnknown(deciding: Deciding, number: number, reasons: readonly Reason[]): boolean {
  if (!deciding.graph.userTags.has(number)) return keptForWantOfKnowledge(reasons);
  const own = reasons.filter(({ code }) => code !== 'tag-kept');
  const tags = stayingTags(deciding, number).map((at) => deciding.ownTagReasons[at] ?? []);
  if (tags.length === 0) return keptForWantOfKnowledge(own);
  return tags.every(keptForWantOfKnowledge) && (own.every(keepsNothing) || keptForWantOfKnowledge(own));
}

function untaggedReasons({ candidates, judgements, fates, policies }: Deciding, number: number): readonly Reason[] {
  const judgement = judgements[candidates.ofUntagged[number] ?? -1];
  if (judgement === undefined) return [];
  const { keeps, notes, removals } = judgement;
  const reasons = [...keeps, ...notes, ...removals.map(({ overruled }) => overruled)];
  const isUnmatched = keeps.length + removals.length === 0;
  return isUnmatched && policies.length > 0 && !fates.ofArtifacts.has(number) ? [...reasons, ...noRule] : reasons;
}

function digestOf({ graph }: Deciding, number: number): Pick<Reason, 'digest'> {
  const digest = graph.manifests[number]?.digest;
  return digest === undefined ? {} : { digest };
}

function firstOf(code: ReasonCode, tags: readonly string[]): readonly Reason[] {
  const [tag] = tags;
  return tag === undefined ? [] : [{ code, tag, ...moreThanOne(tags.length) }];
}

function moreThanOne(count: number): { readonly more?: number } {
  return count > 1 ? { more: count - 1 } : {};
}

const none: readonly Judgement[] = [];

function judgementsOf({ graph, candidates, judgements }: Deciding, number: number): readonly Judgement[] {
  const untagged = judgements[candidates.ofUntagged[number] ?? -1];
  if (untagged !== undefined) return [untagged];
  if (!graph.userTags.has(number)) return none;
  return graph.userTags.of(number).flatMap((at) => judgements[candidates.ofTag[at] ?? -1] ?? []);
}
