import { Prisma } from '../generated/client.js';

/** Names from `from` on and before `until`, in the order of their bytes; without an end when `until` is absent. */
export interface NameRange {
  readonly from: string;
  readonly until?: string;
}

/** Before every character that a name of a repository or a tag may hold. */
const beforeAnyCharacter = '!';

/** The names that begin so; of ASCII, as repositories and tags are. */
export function rangeOfPrefix(prefix: string): NameRange {
  const last = prefix.codePointAt(prefix.length - 1);
  return last === undefined ? { from: '' } : { from: prefix, until: prefix.slice(0, -1) + String.fromCodePoint(last + 1) };
}

/** What a search means: one name, or with a `*` at its end all that begin so. */
export function rangeOfTerm(term: string): NameRange {
  return term.endsWith('*') ? rangeOfPrefix(term.slice(0, -1)) : { from: term, until: term + beforeAnyCharacter };
}

/** Where names can be that match one of the patterns of a grant (libs/access), in order and apart from each other. */
export function rangesOfPatterns(patterns: readonly string[]): NameRange[] {
  const ranges = patterns.map(rangeOfPattern).sort((one, other) => (one.from < other.from ? -1 : 1));
  return ranges.reduce<NameRange[]>((merged, range) => {
    const last = merged.at(-1);
    if (last === undefined || (last.until !== undefined && last.until < range.from)) return [...merged, range];
    return [...merged.slice(0, -1), { from: last.from, ...endOf(later(last.until, range.until)) }];
  }, []);
}

/** What both have in common; undefined for nothing. */
export function intersection(one: NameRange, other: NameRange): NameRange | undefined {
  const from = one.from > other.from ? one.from : other.from;
  const until = earlier(one.until, other.until);
  return until !== undefined && until <= from ? undefined : { from, ...endOf(until) };
}

function rangeOfPattern(pattern: string): NameRange {
  const wildcard = pattern.search(/[*?]/);
  return wildcard < 0 ? rangeOfTerm(pattern) : rangeOfPrefix(pattern.slice(0, wildcard));
}

/** Whether a column is within the range. */
export function isWithin(column: Prisma.Sql, { from, until }: NameRange): Prisma.Sql {
  const end = until === undefined ? Prisma.empty : Prisma.sql`AND ${column} COLLATE "C" < ${until}`;
  return Prisma.sql`${column} COLLATE "C" >= ${from} ${end}`;
}

function later(one: string | undefined, other: string | undefined): string | undefined {
  if (one === undefined || other === undefined) return undefined;
  return one > other ? one : other;
}

function earlier(one: string | undefined, other: string | undefined): string | undefined {
  if (one === undefined) return other;
  return other === undefined || one < other ? one : other;
}

function endOf(until: string | undefined): { readonly until?: string } {
  return until === undefined ? {} : { until };
}
