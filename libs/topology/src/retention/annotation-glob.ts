import { RE2JS } from 're2js';

const longestText = 255;
/** Neither stands in an annotation of any use, and a database keeps neither NUL nor half of a surrogate pair. */
const controlCharacter = /[\p{Cc}\p{Cs}]/u;

/** What keeps a text from being a glob over the value of an annotation; undefined when it is one. */
export function annotationGlobProblem(glob: string): string | undefined {
  if (glob === '') return 'is empty; "*" is every value';
  if (glob.length > longestText) return `is longer than ${longestText} characters`;
  return controlCharacter.test(glob) ? 'has a control character' : undefined;
}

/** What keeps a text from being the key of an annotation; undefined when it is one. */
export function annotationKeyProblem(key: string): string | undefined {
  if (key === '') return 'is no key of an annotation';
  if (key.length > longestText) return `is longer than ${longestText} characters`;
  return controlCharacter.test(key) ? 'has a control character' : undefined;
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
