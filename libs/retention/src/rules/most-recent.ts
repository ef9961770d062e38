import { compare, type SemVer } from 'semver';
import type { MostRecent } from '@waybill/topology';
import type { CompiledKeep } from '../compile/compile-policy.js';
import type { Verdict } from '../compile/artifact-match.js';
import type { Candidate } from './candidates.js';
import type { Bounds, Times } from './times.js';

/** A candidate and its time, or the rank of its version. */
interface Entry {
  readonly candidate: Candidate;
  readonly bounds: Bounds;
}

/** Where the counted artifacts end; ties fall to the smaller digest. */
interface CutOff {
  readonly earliest: number;
  readonly number: number;
}

const unknown: Bounds = { earliest: Number.NEGATIVE_INFINITY, latest: Number.POSITIVE_INFINITY };
const nothingIsIn: CutOff = { earliest: Number.POSITIVE_INFINITY, number: -1 };
const everythingIsIn: CutOff = { earliest: Number.NEGATIVE_INFINITY, number: Number.POSITIVE_INFINITY };

/**
 * Which of a rule's candidates are among the most recent of their group, in the order of `candidates`.
 * Out is only what as many counted artifacts are certainly more recent than: whoever has an unknown time is in
 * (`unknown`) and takes nobody's place, and so do children, signatures and attestations with a tag of their own.
 */
export function mostRecentOf(rule: CompiledKeep, candidates: readonly Candidate[], times: Times): readonly Verdict[] {
  const { mostRecent } = rule;
  if (mostRecent === undefined) return candidates.map(() => 'no');
  const entries = entriesOf(mostRecent.by, candidates, times);
  const names = candidates.map((candidate) => groupOf(rule, candidate));
  const groups = new Map<string, Entry[]>();
  for (const [at, entry] of entries.entries()) {
    const group = groups.get(names[at] ?? '');
    if (group === undefined) groups.set(names[at] ?? '', [entry]);
    else group.push(entry);
  }
  const cutOffs = new Map(Array.from(groups, ([name, group]) => [name, cutOffOf(group, mostRecent.count)]));
  return entries.map((entry, at) => verdictOf(entry, cutOffs.get(names[at] ?? '') ?? everythingIsIn));
}

/** The `count` artifacts that were pushed last, or first seen last where no push is known: never fewer, so that a floor holds. */
export function latestArrivals(candidates: readonly Candidate[], count: number, times: Times): readonly Candidate[] {
  const entries = candidates.map((candidate): Entry => {
    const { latest } = times.arrival(candidate);
    return { candidate, bounds: latest === Number.POSITIVE_INFINITY ? unknown : { earliest: latest, latest } };
  });
  const cutOff = cutOffOf(entries, count);
  return entries.filter((entry) => verdictOf(entry, cutOff) !== 'no').map(({ candidate }) => candidate);
}

function entriesOf(by: MostRecent['by'], candidates: readonly Candidate[], times: Times): readonly Entry[] {
  if (by !== 'semver') return candidates.map((candidate) => ({ candidate, bounds: times.bounds(candidate, by) }));
  const ranks = versionRanks(candidates);
  return candidates.map((candidate) => {
    const rank = candidate.version === undefined ? undefined : ranks.get(candidate.version);
    return { candidate, bounds: rank === undefined ? unknown : { earliest: rank, latest: rank } };
  });
}

/** Equal versions have equal ranks, whatever they are written like. */
function versionRanks(candidates: readonly Candidate[]): ReadonlyMap<SemVer, number> {
  const versions = candidates.flatMap(({ version }) => version ?? []).sort(compare);
  const ranks = new Map<SemVer, number>();
  let rank = 0;
  for (const [at, version] of versions.entries()) {
    const before = versions[at - 1];
    if (before !== undefined && compare(before, version) !== 0) rank += 1;
    ranks.set(version, rank);
  }
  return ranks;
}

/** A tag that the expression does not find itself in is a group of its own; so is what has no tag at all. */
function groupOf({ groupBy }: CompiledKeep, { tag: named }: Candidate): string {
  const tag = named?.name;
  if (groupBy === undefined) return '';
  if (tag === undefined) return 'untagged';
  const matcher = groupBy.matcher(tag);
  if (!matcher.find()) return `tag ${tag}`;
  return `group ${(matcher.groupCount() > 0 ? matcher.group(1) : null) ?? matcher.group()}`;
}

function cutOffOf(group: readonly Entry[], count: number): CutOff {
  if (count === 0) return nothingIsIn;
  const counted = new Set<number>();
  for (const { candidate, bounds } of group.filter(isCounted).sort(compareEntries)) {
    counted.add(candidate.number);
    if (counted.size === count) return { earliest: bounds.earliest, number: candidate.number };
  }
  return everythingIsIn;
}

function isCounted({ candidate, bounds }: Entry): boolean {
  return candidate.facts.isCounted && bounds.earliest !== Number.NEGATIVE_INFINITY;
}

function verdictOf(entry: Entry, cutOff: CutOff): Verdict {
  const { earliest, latest } = entry.bounds;
  // Never promoted: no most recent promotion.
  if (latest === Number.NEGATIVE_INFINITY) return 'no';
  if (latest === Number.POSITIVE_INFINITY) return 'unknown';
  if (latest !== cutOff.earliest) return latest > cutOff.earliest ? 'yes' : 'no';
  return earliest < latest || entry.candidate.number <= cutOff.number ? 'yes' : 'no';
}

/** The latest first, then by digest: the order is total, so that equal times never make two plans of one snapshot. */
function compareEntries(one: Entry, other: Entry): number {
  return other.bounds.earliest - one.bounds.earliest || one.candidate.number - other.candidate.number;
}
