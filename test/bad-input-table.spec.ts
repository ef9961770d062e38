import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { declaresTest } from './declared-tests.js';

const root = path.resolve(import.meta.dirname, '..');
const document = readFileSync(path.join(root, 'docs/bad-input.md'), 'utf8');

interface Requirement {
  readonly of: string;
  /** What was asked for, word by word. */
  readonly text: string;
  readonly clauses: readonly string[];
}

const requirements: readonly Requirement[] = [
  {
    of: 'promotions',
    text: 'Unknown path, registry, repository, tag (404 with near names); malformed reference, digest, JSON; path or repository the key may not use (403); immutable tag already elsewhere (409); tag moved between request and copy (the pinned digest goes, the move is recorded); source down (503 with retry hint); target down (accepted, retried, then `failed` for that target, others done, promotion `partial`); blob with wrong bytes at the source; manifest naming a missing blob; broken topology file at start and at apply.',
    clauses: [
      'Unknown path (404 with near names)',
      'Unknown registry (404 with near names)',
      'Unknown repository (404 with near names)',
      'Unknown tag (404 with near names)',
      'malformed reference',
      'malformed digest',
      'malformed JSON',
      'path the key may not use (403)',
      'repository the key may not use (403)',
      'immutable tag already elsewhere (409)',
      'tag moved between request and copy (the pinned digest goes, the move is recorded)',
      'source down (503 with retry hint)',
      'target down (accepted, retried, then `failed` for that target, others done, promotion `partial`)',
      'blob with wrong bytes at the source',
      'manifest naming a missing blob',
      'broken topology file at start',
      'broken topology file at apply',
    ],
  },
  {
    of: 'retention rules',
    text: 'Unknown field, negative count, bad or unsafe regex, bad semver, contradictory rules, archive without an Archive, a schedule that never fires: refused with position.',
    clauses: [
      'Unknown field refused with position',
      'negative count refused with position',
      'bad regex refused with position',
      'unsafe regex refused with position',
      'bad semver refused with position',
      'contradictory rules refused with position',
      'archive without an Archive refused with position',
      'a schedule that never fires refused with position',
    ],
  },
];

interface Row {
  readonly clause: string;
  readonly answer: string;
  readonly file: string;
  readonly test: string;
}

/** Of the table that follows the quoted requirement. */
function rowsOf({ text }: Requirement): Row[] {
  const [, section = ''] = document.split(`> ${text}\n`);
  return (section.split(/^> /m)[0] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) => {
      const [clause = '', answer = '', file = '', test = ''] = line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim());
      return { clause, answer, file: file.replaceAll('`', ''), test };
    });
}

const wordsOf = (text: string) => text.match(/[\w`]+/g) ?? [];

describe.each(requirements)('the table of bad input: $of', (requirement) => {
  const { text, clauses } = requirement;
  const rows = rowsOf(requirement);

  it('quotes the requirement', () => {
    expect(document).toContain(`> ${text}\n`);
  });

  it('has clauses that are the words of the requirement, and all of them', () => {
    const joining = ['and', 'or'];
    const words = new Set(clauses.flatMap(wordsOf));

    expect(wordsOf(text).filter((word) => !words.has(word) && !joining.includes(word))).toEqual([]);
    for (const clause of clauses) {
      const inOrder = wordsOf(clause).map((word) => `\\b${word}(?![\\w])`.replace(/^\\b`/, '`'));
      expect(text).toMatch(new RegExp(inOrder.join('.*'), 's'));
    }
  });

  it('has no row but of these clauses', () => {
    expect([...new Set(rows.map(({ clause }) => clause))]).toEqual(clauses);
  });

  it('says for every row what the user gets', () => {
    expect(rows.filter(({ answer }) => answer === '')).toEqual([]);
  });

  it.each(rows)('names a test of $file: $test', ({ file, test }) => {
    const spec = path.join(root, file);

    expect(existsSync(spec)).toBe(true);
    expect(declaresTest(readFileSync(spec, 'utf8'), test)).toBe(true);
  });
});
