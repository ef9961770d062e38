import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { declaresTest } from './declared-tests.js';

const root = path.resolve(import.meta.dirname, '..');
const document = readFileSync(path.join(root, 'docs/bad-input.md'), 'utf8');

/** What was asked for, word by word. */
const requirement =
  'Unknown path, registry, repository, tag (404 with near names); malformed reference, digest, JSON; path or repository the key may not use (403); immutable tag already elsewhere (409); tag moved between request and copy (the pinned digest goes, the move is recorded); source down (503 with retry hint); target down (accepted, retried, then `failed` for that target, others done, promotion `partial`); blob with wrong bytes at the source; manifest naming a missing blob; broken topology file at start and at apply.';

const clauses = [
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
];

const rows = document
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

const wordsOf = (text: string) => text.match(/[\w`]+/g) ?? [];

describe('the table of bad input', () => {
  it('quotes the requirement', () => {
    expect(document).toContain(`> ${requirement}\n`);
  });

  it('has clauses that are the words of the requirement, and all of them', () => {
    const joining = ['and', 'or'];
    const words = new Set(clauses.flatMap(wordsOf));

    expect(wordsOf(requirement).filter((word) => !words.has(word) && !joining.includes(word))).toEqual([]);
    for (const clause of clauses) {
      const inOrder = wordsOf(clause).map((word) => `\\b${word}(?![\\w])`.replace(/^\\b`/, '`'));
      expect(requirement).toMatch(new RegExp(inOrder.join('.*'), 's'));
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
