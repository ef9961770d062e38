import type { Verdict } from '../compile/artifact-match.js';
import type { CompiledKeep, CompiledPolicy, CompiledRemoval, Condemnation } from '../compile/compile-policy.js';
import type { Reason } from '../reasons.js';
import { SparseLists } from '../sparse-lists.js';
import { type Steps, stepSize } from '../steps.js';
import type { Candidate } from './candidates.js';
import { combine, isWithin, type Moment, removalCriteria, untaggedExpired } from './criteria.js';
import { mostRecentOf } from './most-recent.js';

/** What the rules of all policies say about one candidate. */
export interface Judgement {
  readonly keeps: readonly Reason[];
  readonly removals: readonly Condemnation[];
  /** Why a rule that matches does not remove it, or not yet. */
  readonly notes: readonly Reason[];
}

/** Judgements in the order of the candidates. The policies are those that select the repository. */
export function* judgeCandidates(
  policies: readonly CompiledPolicy[],
  repository: string,
  candidates: readonly Candidate[],
  moment: Moment,
): Steps<readonly Judgement[]> {
  const judging: Judging = {
    keeps: new SparseLists(candidates.length),
    removals: new SparseLists(candidates.length),
    notes: new SparseLists(candidates.length),
  };
  for (const policy of policies) {
    for (const rule of policy.keeps) {
      if (rule.covers(repository)) applyKeep(rule, candidates, moment, judging);
      if (candidates.length > stepSize) yield;
    }
    for (const rule of policy.removals) {
      if (rule.covers(repository)) applyRemoval(rule, candidates, moment, judging);
      if (candidates.length > stepSize) yield;
    }
    if (policy.untagged !== undefined) applyUntagged(policy.untagged, candidates, moment, judging);
  }
  return candidates.map((_, at) => ({ keeps: judging.keeps.of(at), removals: judging.removals.of(at), notes: judging.notes.of(at) }));
}

interface Judging {
  readonly keeps: SparseLists<Reason>;
  readonly removals: SparseLists<Condemnation>;
  readonly notes: SparseLists<Reason>;
}

/** What is unknown keeps: a rule that might match, or whose criteria might be met, keeps too. */
function applyKeep(rule: CompiledKeep, candidates: readonly Candidate[], moment: Moment, judging: Judging): void {
  const matching: number[] = [];
  const matched: Verdict[] = [];
  for (const [at, candidate] of candidates.entries()) {
    const verdict = rule.matches(candidate);
    if (verdict === 'no') continue;
    matching.push(at);
    matched.push(verdict);
  }
  const subjects = matching.flatMap((at) => candidates[at] ?? []);
  const recent = rule.mostRecent === undefined ? undefined : mostRecentOf(rule, subjects, moment.times);
  for (const [index, candidate] of subjects.entries()) {
    const at = matching[index] ?? 0;
    const verdicts: Verdict[] = recent === undefined ? [] : [recent[index] ?? 'unknown'];
    if (rule.within !== undefined) verdicts.push(isWithin(rule.within, candidate, moment));
    const met = combine(rule.criteria, verdicts);
    if (met === 'no') continue;
    if (met === 'unknown') judging.keeps.add(at, unknownCriterion(rule));
    else judging.keeps.add(at, matched[index] === 'unknown' ? rule.metadataUnknown : rule.kept);
  }
}

/** A version that cannot be read is no time that is missing. */
function unknownCriterion(rule: CompiledKeep): Reason {
  return rule.mostRecent?.by === 'semver' && rule.within === undefined ? rule.metadataUnknown : rule.timeUnknown;
}

function applyRemoval(rule: CompiledRemoval, candidates: readonly Candidate[], moment: Moment, judging: Judging): void {
  for (const [at, candidate] of candidates.entries()) {
    // There is nothing to take off.
    if (rule.action === 'untag' && candidate.tag === undefined) continue;
    const matches = rule.matches(candidate);
    if (matches === 'no') continue;
    const met = removalCriteria(rule, candidate, moment);
    if (met === 'no') judging.notes.add(at, rule.unmet);
    else if (met === 'unknown') judging.notes.add(at, rule.timeUnknown);
    else if (matches === 'unknown') judging.notes.add(at, rule.metadataUnknown);
    else judging.removals.add(at, rule);
  }
}

function applyUntagged(
  untagged: NonNullable<CompiledPolicy['untagged']>,
  candidates: readonly Candidate[],
  moment: Moment,
  judging: Judging,
): void {
  for (const [at, candidate] of candidates.entries()) {
    if (candidate.tag !== undefined) continue;
    const met = untaggedExpired(untagged, candidate, moment);
    if (met === 'yes') judging.removals.add(at, untagged);
    else judging.notes.add(at, met === 'no' ? untagged.unmet : untagged.timeUnknown);
  }
}
