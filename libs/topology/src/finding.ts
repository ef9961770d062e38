import type { DiagnosticCode } from './diagnostic.js';

/** Keys and indexes from the root of the document to a value. */
export type DocumentPath = readonly (string | number)[];

/** A complaint before it has a position: where it stands in the document, not in the text. */
export interface Finding {
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly path: DocumentPath;
  /** Point at the key or at its value; the value unless said. */
  readonly at?: 'key' | 'value';
  readonly severity?: 'error' | 'warning';
  readonly suggestion?: string;
}

/** A word of the file as it may be shown: quoted, escaped, cut. */
export function quoted(word: string): string {
  return JSON.stringify(word.length > 80 ? `${word.slice(0, 80)}…` : word);
}

/** `"a", "b" and "c"`. */
export function listed(words: readonly string[]): string {
  const all = words.map(quoted);
  return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
}

/** A JSON pointer (RFC 6901). */
export function pointerOf(path: DocumentPath): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
