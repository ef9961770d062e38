import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { isProblemCode, problemKinds, problemType } from './problems.js';
import { problemsPage } from './problems-page.js';

const kept = resolve(import.meta.dirname, '../../../../docs/problems.md');

describe('the catalogue of problems', () => {
  it('is the one in docs/problems.md: after a change run npm run generate:problems', async () => {
    expect(problemsPage()).toBe(await readFile(kept, 'utf8'));
  });

  it.each(Object.entries(problemKinds))('%s has a status of an error, a title and a way out', (code, { status, title, help }) => {
    expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(600);
    expect(title).toMatch(/^[A-Z].*[^.]$/);
    expect(help).toMatch(/^[A-Z].*\.$/);
  });

  it('leads to its documentation', () => {
    expect(problemType('tag-unknown')).toBe('/api/docs/problems#tag-unknown');
  });

  it('knows its own codes alone', () => {
    expect(isProblemCode('forbidden')).toBe(true);
    for (const code of ['Forbidden', 'constructor', '__proto__', '']) expect(isProblemCode(code)).toBe(false);
  });
});
