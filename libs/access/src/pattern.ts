/**
 * The scope grammar. A pattern is a name in which `*` stands for any characters of one
 * segment, `?` for one character, and `**`, alone between slashes, for any number of
 * segments; at the end for at least one, as in a topology file. Nothing else is special:
 * a grant must mean what it seems to say.
 *
 * Patterns come from whoever may make keys, so matching takes time in proportion to pattern
 * times name, whatever the pattern.
 */
export function matchesPattern(pattern: string, name: string): boolean {
  const wanted = pattern.split('/');
  const given = name.split('/');
  // reached[at]: can the segments of the pattern that were read so far end before given[at]?
  let reached = new Set([0]);
  for (const [index, segment] of wanted.entries()) {
    reached = segment === '**' ? past(reached, given.length, index === wanted.length - 1) : step(segment, reached, given);
  }
  return reached.has(given.length);
}

/** Does the pattern stand for itself alone? */
export function isLiteral(pattern: string): boolean {
  return !/[*?]/.test(pattern);
}

function past(reached: ReadonlySet<number>, length: number, isLast: boolean): Set<number> {
  const first = Math.min(...reached) + (isLast ? 1 : 0);
  return new Set(Array.from({ length: Math.max(0, length - first + 1) }, (_, offset) => first + offset));
}

function step(segment: string, reached: ReadonlySet<number>, given: readonly string[]): Set<number> {
  return new Set([...reached].filter((at) => at < given.length && matchesSegment(segment, given[at] ?? '')).map((at) => at + 1));
}

/** Only the last `*` is ever tried again, with one character more: an earlier one could not do better. */
function matchesSegment(pattern: string, text: string): boolean {
  let star: { readonly pattern: number; text: number } | undefined;
  let p = 0;
  let t = 0;
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = { pattern: p, text: t };
      p += 1;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p += 1;
      t += 1;
    } else if (star !== undefined) {
      star.text += 1;
      p = star.pattern + 1;
      t = star.text;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}
