import { describe, expect, it } from '@jest/globals';
import { matchesPattern } from '@waybill/access';
import fc from 'fast-check';
import { intersection, type NameRange, rangeOfPrefix, rangeOfTerm, rangesOfPatterns } from './name-range.js';

const within = (name: string, { from, until }: NameRange): boolean => name >= from && (until === undefined || name < until);
const segment = fc.string({ unit: fc.constantFrom('a', 'b', '0', '-', 'z'), minLength: 1, maxLength: 3 });
const names = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));

describe('ranges of names', () => {
  it.each<[string, string, boolean]>([
    ['', 'anything', true],
    ['team-a/', 'team-a/app', true],
    ['team-a/', 'team-a', false],
    ['team-a/', 'team-b/app', false],
    ['team-a', 'team-a', true],
    ['v1.', 'v1.0', true],
    ['v1.', 'v10', false],
  ])('of the prefix %j hold %j: %s', (prefix, name, is) => {
    expect(within(name, rangeOfPrefix(prefix))).toBe(is);
  });

  it.each<[string, string, boolean]>([
    ['1.0.0', '1.0.0', true],
    ['1.0.0', '1.0.0-rc', false],
    ['1.0.*', '1.0.0', true],
    ['1.0.*', '1.1.0', false],
    ['*', 'anything', true],
  ])('of the term %j hold %j: %s', (term, name, is) => {
    expect(within(name, rangeOfTerm(term))).toBe(is);
  });

  it('are in order and apart, and hold every name that matches a pattern', () => {
    const wild = fc.oneof(segment, fc.constantFrom('*', '**', '?a', 'a*'));
    const patterns = fc.array(
      fc.array(wild, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/')),
      { maxLength: 4 },
    );

    fc.assert(
      fc.property(patterns, names, (some, name) => {
        const ranges = rangesOfPatterns(some);
        for (const [at, { from }] of ranges.entries()) {
          const before = ranges[at - 1];
          if (before !== undefined) expect(before.until !== undefined && before.until < from).toBe(true);
        }
        if (some.some((pattern) => matchesPattern(pattern, name))) {
          expect(ranges.filter((range) => within(name, range))).toHaveLength(1);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('have in common what is in both', () => {
    fc.assert(
      fc.property(names, names, names, (one, other, name) => {
        const both = intersection(rangeOfPrefix(one), rangeOfPrefix(other));

        expect(both !== undefined && within(name, both)).toBe(name.startsWith(one) && name.startsWith(other));
      }),
      { numRuns: 1_000 },
    );
  });
});
