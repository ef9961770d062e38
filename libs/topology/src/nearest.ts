import { distance } from 'fastest-levenshtein';

const longestWord = 255;

/**
 * The candidates that `word` was probably meant to be, nearest first, at most `limit`.
 * Near is a third of the word in edits (at least two; one for words of one or two letters),
 * or one containing the other.
 */
export function nearest(word: string, candidates: Iterable<string>, limit = 3): string[] {
  if (word.length > longestWord) return [];
  const wanted = word.toLowerCase();
  const reach = wanted.length < 3 ? 1 : Math.max(2, Math.floor(wanted.length / 3));
  return [...candidates]
    .filter((candidate) => candidate.length <= longestWord)
    .map((candidate) => ({ candidate, edits: editsBetween(wanted, candidate.toLowerCase()) }))
    .filter(({ edits }) => edits <= reach)
    .sort((one, other) => one.edits - other.edits || (one.candidate < other.candidate ? -1 : 1))
    .slice(0, limit)
    .map(({ candidate }) => candidate);
}

/** A part of at least three letters is as near as two edits: `snapshots` for `ci-snapshots`. */
function editsBetween(wanted: string, candidate: string): number {
  const edits = distance(wanted, candidate);
  const [shorter, longer] = wanted.length < candidate.length ? [wanted, candidate] : [candidate, wanted];
  return shorter.length >= 3 && longer.includes(shorter) ? Math.min(edits, 2) : edits;
}
