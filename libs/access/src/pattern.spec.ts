import { describe, expect, it } from '@jest/globals';
import { parseRepositoryName } from '@waybill/oci-model';
import fc from 'fast-check';
import { matchesPattern } from './pattern.js';

describe('matchesPattern', () => {
  it.each([
    ['team-a/app', 'team-a/app', true],
    ['team-a/app', 'team-a/apps', false],
    ['team-a/app', 'team-a', false],
    ['team-a', 'team-a/app', false],
    ['*', 'app', true],
    ['*', 'team/app', false],
    ['team-*/app', 'team-a/app', true],
    ['team-*/app', 'team-a/b/app', false],
    ['a*b*c', 'aXbXbXc', true],
    ['a*b*c', 'aXbXbX', false],
    ['a**', 'abc', true],
    ['?', 'a', true],
    ['?', '', false],
    ['?', 'ab', false],
    ['a?c', 'abc', true],
    ['a/?', 'a/b/c', false],
    ['**', 'app', true],
    ['**', 'a/b/c', true],
    ['team/**', 'team/a', true],
    ['team/**', 'team/a/b', true],
    ['team/**', 'team', false],
    ['team/**', 'teams/a', false],
    ['**/app', 'app', true],
    ['**/app', 'a/b/app', true],
    ['**/app', 'a/b/apps', false],
    ['a/**/z', 'a/z', true],
    ['a/**/z', 'a/b/c/z', true],
    ['a/**/z', 'a/b', false],
    ['**/x/**', 'a/x/b', true],
    ['**/x/**', 'a/x', false],
    ['**/**', 'a', true],
    ['', '', true],
    ['', 'a', false],
  ])('%j over %j: %s', (pattern, name, matches) => {
    expect(matchesPattern(pattern, name)).toBe(matches);
  });

  it.each(['{a,b}', '[ab]', '!b', '(a|b)', 'a|b', '+(a)', '.', '\\a', '^a$'])('takes %j for what it is', (pattern) => {
    expect(matchesPattern(pattern, 'a')).toBe(false);
    expect(matchesPattern(pattern, pattern)).toBe(true);
  });

  it('says what a slow and simple reading of the grammar says', () => {
    const segment = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), minLength: 1, maxLength: 4 });
    const patterns = fc.array(fc.oneof(segment, fc.constant('**')), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
    const names = fc
      .array(fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 })
      .map((parts) => parseRepositoryName(parts.join('/')));

    fc.assert(
      fc.property(patterns, names, (pattern, name) => {
        expect(matchesPattern(pattern, name)).toBe(simply(pattern, name));
      }),
      { numRuns: 2_000 },
    );
  });

  it('is not led into trying everything', () => {
    const pattern = `${'*a'.repeat(120)}b`;

    // A backtracking matcher would be at it until the end of days, so that returning is the assertion.
    expect(matchesPattern(pattern, 'a'.repeat(250))).toBe(false);
  });
});

/** The grammar as a regular expression. */
function simply(pattern: string, name: string): boolean {
  const segments = pattern.split('/');
  const parts = segments.map((segment, index) => {
    if (segment !== '**') return `${segment.replaceAll('*', '[^/]*').replaceAll('?', '[^/]')}/`;
    return index === segments.length - 1 ? '(?:[^/]+/)+' : '(?:[^/]+/)*';
  });
  return new RegExp(`^${parts.join('')}$`).test(`${name}/`);
}
