import { accepts, type Automaton, type Edge } from './automaton.js';
import { type CharacterSet, noCharacter, rangeOf, repositoryCharacters, setOf, slash, tagCharacters } from './character-set.js';

/**
 * Globs over repository names and tags: `*`, `?`, `[a-z]`, `[!a-z]` within a segment, and `**`
 * for any number of segments. At the end `**` is at least one, as in .gitignore files:
 * `team/**` is everything below `team`, not `team` itself.
 * A pattern becomes an automaton, because the same thing has to answer two questions:
 * does it match, in linear time, and can two patterns ever meet.
 */
export type GlobSubject = 'repository' | 'tag';

export type ParsedGlob = { readonly ok: true; readonly automaton: Automaton } | { readonly ok: false; readonly problem: string };

type Token = { readonly kind: 'one'; readonly of: CharacterSet } | { readonly kind: 'many'; readonly of: CharacterSet };
type Segment = 'any-segments' | readonly Token[];

const longestGlob = 255;
const characters: Readonly<Record<GlobSubject, CharacterSet>> = { repository: repositoryCharacters, tag: tagCharacters };

class GlobProblem extends Error {}

export function parseGlob(text: string, subject: GlobSubject): ParsedGlob {
  if (text.length > longestGlob) return { ok: false, problem: `is longer than ${longestGlob} characters` };
  try {
    const segments = subject === 'tag' ? [text] : text.split('/');
    return { ok: true, automaton: build(segments.map((segment) => parseSegment(segment, subject))) };
  } catch (error) {
    if (error instanceof GlobProblem) return { ok: false, problem: error.message };
    throw error;
  }
}

/** Does one of the globs match the whole text? A glob that does not parse matches nothing. */
export function matchesGlob(globs: readonly string[], text: string, subject: GlobSubject): boolean {
  return globs.some((glob) => {
    const parsed = parseGlob(glob, subject);
    return parsed.ok && accepts(parsed.automaton, text);
  });
}

function parseSegment(segment: string, subject: GlobSubject): Segment {
  if (segment === '') throw new GlobProblem(subject === 'tag' ? 'is empty' : 'has an empty segment');
  if (segment === '**' && subject === 'repository') return 'any-segments';
  if (segment.includes('**')) throw new GlobProblem(`has "**" as a part of a segment; ${doubleStarHint(subject)}`);
  const tokens: Token[] = [];
  for (let at = 0; at < segment.length;) {
    const { token, length } = parseToken(segment.slice(at), subject);
    tokens.push(token);
    at += length;
  }
  return tokens;
}

function doubleStarHint(subject: GlobSubject): string {
  return subject === 'tag' ? 'a single "*" matches all of a tag' : 'it must stand alone between slashes';
}

function parseToken(rest: string, subject: GlobSubject): { readonly token: Token; readonly length: number } {
  const any = characters[subject];
  if (rest.startsWith('*')) return { token: { kind: 'many', of: any }, length: 1 };
  if (rest.startsWith('?')) return { token: { kind: 'one', of: any }, length: 1 };
  if (rest.startsWith('[')) return parseClass(rest, subject);
  const character = String.fromCodePoint(rest.codePointAt(0) ?? 0);
  const of = setOf(character) & any;
  if (of === noCharacter) throw new GlobProblem(strangeCharacter(character, subject));
  return { token: { kind: 'one', of }, length: character.length };
}

function strangeCharacter(character: string, subject: GlobSubject): string {
  if ('{}()|'.includes(character)) return `has ${JSON.stringify(character)}: write one pattern for each alternative`;
  if (character === '!') return 'has "!": exclusions are not known, list what is meant';
  const noun = subject === 'tag' ? 'a tag' : 'a repository name';
  return `has ${JSON.stringify(character)}, which never occurs in ${noun}`;
}

function parseClass(rest: string, subject: GlobSubject): { readonly token: Token; readonly length: number } {
  const match = /^\[([!^]?)([^\][]+)\]/.exec(rest);
  if (match === null) throw new GlobProblem('has "[" without a closed set of characters after it');
  const [whole, negation, body = ''] = match;
  const listed = classMembers(body);
  const of = characters[subject] & (negation === '' ? listed : ~listed);
  if (of === noCharacter) throw new GlobProblem(`has the set "${whole}", which nothing can match`);
  return { token: { kind: 'one', of }, length: whole.length };
}

function classMembers(body: string): CharacterSet {
  let members = noCharacter;
  for (const [range, first, last] of body.matchAll(/(.)-(.)|./gsu)) {
    if (first === undefined || last === undefined) {
      members |= setOf(range);
      continue;
    }
    if (first > last) throw new GlobProblem(`has the range "${range}" the wrong way round`);
    members |= rangeOf(first, last);
  }
  return members;
}

/**
 * Names are read as `/segment/segment`, so that every segment, also the first, begins with
 * a slash; in the end the automaton starts behind the first one.
 */
function build(segments: readonly Segment[]): Automaton {
  const edges: Edge[][] = [[]];
  const addState = (): number => edges.push([]) - 1;
  const connect = (from: number, on: CharacterSet, to: number): void => void edges[from]?.push({ on, to });
  let ends = [0];
  for (const [index, segment] of segments.entries()) {
    const begin = addState();
    for (const end of ends) connect(end, slash, begin);
    if (segment === 'any-segments') {
      const inside = addState();
      connect(begin, repositoryCharacters, inside);
      connect(inside, repositoryCharacters, inside);
      connect(inside, slash, begin);
      ends = index === segments.length - 1 ? [inside] : [...ends, inside];
      continue;
    }
    let state = begin;
    for (const token of segment) {
      const next = token.kind === 'many' ? state : addState();
      connect(state, token.of, next);
      state = next;
    }
    ends = [state];
  }
  return { edges, starts: (edges[0] ?? []).map((edge) => edge.to), accepts: new Set(ends) };
}
