import { RE2JS } from 're2js';

const longestGlob = 255;
const controlCharacter = /[\p{Cc}\p{Cs}]/u;

/** What keeps a text from being a glob over the value of an annotation; undefined when it is one. */
export function annotationGlobProblem(glob: string): string | undefined {
  if (glob === '') return 'is empty; "*" is every value';
  if (glob.length > longestGlob) return `is longer than ${longestGlob} characters`;
  return controlCharacter.test(glob) ? 'has a control character' : undefined;
}

/**
 * Tells whether the value of an annotation matches a glob: `*` is any characters, also none, `?` is one,
 * and all others are themselves. Values are free text, so there are no segments here. Takes linear time.
 */
export function annotationMatcher(glob: string): (value: string) => boolean {
  const source = Array.from(glob, (character) => wildcards.get(character) ?? RE2JS.quote(character)).join('');
  const expression = RE2JS.compile(source, RE2JS.DOTALL);
  return (value) => expression.matches(value);
}

const wildcards = new Map([
  ['*', '.*'],
  ['?', '.'],
]);
