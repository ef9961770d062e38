import { RetentionError } from '../retention-error.js';

/**
 * Globs over tags and repository names, as in the rest of the topology: `*`, `?`, `[a-z]`, `[!a-z]` within
 * a segment, `**` for any number of segments, and at the end for at least one.
 * They are compiled once, because a planner asks them about every tag that there is; matching takes at most
 * the pattern's length times the text's, whoever wrote either.
 */
type Item = { readonly kind: 'any-number' } | { readonly kind: 'one'; readonly takes: (part: string) => boolean };

/** Does one of the globs match the whole tag? @throws RetentionError `pattern-invalid` */
export function compileTagGlobs(globs: readonly string[]): (tag: string) => boolean {
  const compiled = globs.map((glob) => segmentMatcher(glob, glob));
  return (tag) => compiled.some((matches) => matches(tag));
}

/** Does one of the globs match the whole repository name? @throws RetentionError `pattern-invalid` */
export function compileRepositoryGlobs(globs: readonly string[]): (repository: string) => boolean {
  const compiled = globs.map(repositoryMatcher);
  return (repository) => {
    const segments = repository.split('/');
    return compiled.some((matches) => matches(segments));
  };
}

function repositoryMatcher(glob: string): (segments: readonly string[]) => boolean {
  const parts = glob.split('/');
  const items = parts.flatMap((part, at): Item[] => {
    if (part !== '**') return [{ kind: 'one', takes: segmentMatcher(part, glob) }];
    const atLeastOne: Item[] = at === parts.length - 1 ? [{ kind: 'one', takes: () => true }] : [];
    return [...atLeastOne, { kind: 'any-number' }];
  });
  return (segments) => matchesInOrder(items, segments);
}

function segmentMatcher(segment: string, glob: string): (text: string) => boolean {
  if (segment === '') throw invalid(glob, 'has an empty segment');
  if (segment === '*') return () => true;
  const literalPrefix = /^([^*?[\]]+)\*$/.exec(segment)?.[1];
  if (literalPrefix !== undefined) return (text) => text.startsWith(literalPrefix);
  if (!/[*?[\]]/.test(segment)) return (text) => text === segment;
  const items = itemsOf(segment, glob);
  return (text) => matchesInOrder(items, text);
}

function itemsOf(segment: string, glob: string): readonly Item[] {
  if (segment.includes('**')) throw invalid(glob, 'has "**" as a part of a segment');
  const items: Item[] = [];
  for (let at = 0; at < segment.length;) {
    const set = /^\[([!^]?)([^\][]+)\]/.exec(segment.slice(at));
    const character = segment.charAt(at);
    if (set !== null) items.push({ kind: 'one', takes: characterSet(set[2] ?? '', set[1] !== '') });
    else if (character === '[') throw invalid(glob, 'has "[" without a closed set of characters after it');
    else if (character === '*') items.push({ kind: 'any-number' });
    else items.push({ kind: 'one', takes: character === '?' ? () => true : (other) => other === character });
    at += set === null ? 1 : set[0].length;
  }
  return items;
}

function characterSet(body: string, isNegated: boolean): (character: string) => boolean {
  const ranges = Array.from(body.matchAll(/(.)-(.)|./gsu), ([whole, first = whole, last = whole]) => ({ first, last }));
  return (character) => ranges.some(({ first, last }) => first <= character && character <= last) !== isNegated;
}

/** Greedy, and back to the last `any-number` only: an earlier one could do no better. */
function matchesInOrder(items: readonly Item[], parts: ArrayLike<string>): boolean {
  let item = 0;
  let part = 0;
  let star = -1;
  let taken = 0;
  while (part < parts.length) {
    const current = items[item];
    if (current?.kind === 'any-number') {
      star = item;
      taken = part;
      item += 1;
    } else if (current?.takes(parts[part] ?? '') === true) {
      item += 1;
      part += 1;
    } else {
      if (star < 0) return false;
      item = star + 1;
      taken += 1;
      part = taken;
    }
  }
  return items.slice(item).every(({ kind }) => kind === 'any-number');
}

function invalid(glob: string, problem: string): RetentionError {
  return new RetentionError(`glob ${JSON.stringify(glob)} ${problem}`, { code: 'pattern-invalid', operation: 'compile policy' });
}
