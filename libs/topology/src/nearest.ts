import { distance } from 'fastest-levenshtein';

const longestWord = 255;

/**
 * The candidates that `word` was probably meant to be, nearest first, at most `limit`.
 * Near is a third of the word in edits (at least two; one for words of one or two letters),
 * or one being a part of the other, as `snapshots` of `ci-snapshots`.
 */
export function nearest(word: string, candidates: Iterable<string>, limit = 3): string[] {
  if (word.length > longestWord) return [];
  const wanted = word.toLowerCase();
  const reach = wanted.length < 3 ? 1 : Math.max(2, Math.floor(wanted.length / 3));
  return Array.from(candidates)
    .filter((candidate) => candidate.length <= longestWord)
    .map((candidate) => ({ candidate, spelling: candidate.toLowerCase() }))
    .map(({ candidate, spelling }) => ({ candidate, edits: distance(wanted, spelling), isPart: isPart(wanted, spelling) }))
    .filter(({ edits, isPart: near }) => near || edits <= reach)
    .sort((one, other) => one.edits - other.edits || (one.candidate < other.candidate ? -1 : 1))
    .slice(0, limit)
    .map(({ candidate }) => candidate);
}

function isPart(one: string, other: string): boolean {
  const [shorter, longer] = one.length < other.length ? [one, other] : [other, one];
  return shorter.length >= 3 && longer.includes(shorter);
}
