import { describe, expect, it } from '@jest/globals';
import { isRepositoryName } from '@waybill/oci-model';
import fc from 'fast-check';
import picomatch from 'picomatch';
import { type GlobSubject, matchesGlob, parseGlob } from './glob.js';

describe('matchesGlob', () => {
  it.each<[string, string, boolean]>([
    ['waybill', 'waybill', true],
    ['waybill', 'waybill2', false],
    ['waybill', 'acme/waybill', false],
    ['team-*/**', 'team-a/app', true],
    ['team-*/**', 'team-a/group/app', true],
    ['team-*/**', 'team-a', false],
    ['a/**/**', 'a', false],
    ['a/**/**', 'a/b', true],
    ['team-*/**', 'team/app', false],
    ['team-*/*', 'team-a/group/app', false],
    ['**', 'a', true],
    ['**', 'a/b/c', true],
    ['**/app', 'app', true],
    ['**/app', 'a/b/app', true],
    ['a/**/z', 'a/z', true],
    ['a/**/z', 'a/b/c/z', true],
    ['a/**/z', 'a/b/c', false],
    ['*', 'a/b', false],
    ['a?c', 'abc', true],
    ['a?c', 'a/c', false],
    ['a?c', 'ac', false],
    ['[a-c]x', 'bx', true],
    ['[a-c]x', 'dx', false],
    ['[!a-c]x', 'dx', true],
    ['[^a-c]x', 'bx', false],
    ['[a-]x', '-x', true],
    ['v[0-9.]*', 'v1.2', true],
    ['*a*b*', 'xxaxxbxx', true],
    ['*a*b*', 'xxbxxaxx', false],
  ])('over repositories, %s on %s: %s', (glob, repository, expected) => {
    expect(matchesGlob([glob], repository, 'repository')).toBe(expected);
  });

  it.each<[string, string, boolean]>([
    ['v*', 'v1.2.3', true],
    ['v*', 'V1', false],
    ['[0-9]*', '1.2', true],
    ['[0-9]*', 'latest', false],
    ['[!a-z]*', 'RC1', true],
    ['*', 'anything_at.ALL-1', true],
  ])('over tags, %s on %s: %s', (glob, tag, expected) => {
    expect(matchesGlob([glob], tag, 'tag')).toBe(expected);
  });

  it('asks for one of several, and takes broken ones for no match', () => {
    expect(matchesGlob(['a', 'b'], 'b', 'repository')).toBe(true);
    expect(matchesGlob([], 'b', 'repository')).toBe(false);
    expect(matchesGlob(['{a,b}'], 'b', 'repository')).toBe(false);
  });

  it('takes time in proportion to the text, whatever the pattern', () => {
    const evil = '*a'.repeat(100);

    expect(matchesGlob([evil], `${'a'.repeat(99)}${'b'.repeat(156)}`, 'repository')).toBe(false);
    expect(matchesGlob([evil], 'a'.repeat(255), 'repository')).toBe(true);
  });

  it('agrees with picomatch on every repository name, but for what it makes of a last "**"', () => {
    const segment = fc.constantFrom('a', 'b', 'ab', 'a-b', '*', '**', 'a*', '*b', '?', 'a?', '[ab]', '[!a]*', '*-*');
    const glob = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join('/'));
    const name = fc
      .array(fc.constantFrom('a', 'b', 'ab', 'a-b', 'aa', 'b.a', 'bab'), { minLength: 1, maxLength: 5 })
      .map((segments) => segments.join('/'))
      .filter(isRepositoryName);

    fc.assert(
      fc.property(glob, name, (pattern, repository) => {
        expect(matchesGlob([pattern], repository, 'repository')).toBe(
          picomatch.isMatch(repository, pattern.replace(/\*\*$/, '**/*'), { posix: true }),
        );
      }),
      { numRuns: 2000 },
    );
  });
});

describe('parseGlob', () => {
  it.each<[string, GlobSubject, string]>([
    ['', 'repository', 'has an empty segment'],
    ['', 'tag', 'is empty'],
    ['/a', 'repository', 'has an empty segment'],
    ['a//b', 'repository', 'has an empty segment'],
    ['a/', 'repository', 'has an empty segment'],
    ['a**', 'repository', 'it must stand alone between slashes'],
    ['**', 'tag', 'a single "*" matches all of a tag'],
    ['{a,b}', 'repository', 'has "{": write one pattern for each alternative'],
    ['a|b', 'tag', 'has "|": write one pattern for each alternative'],
    ['!a', 'repository', 'has "!": exclusions are not known'],
    ['Team/*', 'repository', 'has "T", which never occurs in a repository name'],
    ['a/b', 'tag', 'has "/", which never occurs in a tag'],
    ['a:1', 'repository', 'has ":", which never occurs in a repository name'],
    ['é', 'tag', 'which never occurs in a tag'],
    ['[a', 'repository', 'has "[" without a closed set of characters after it'],
    ['[]', 'repository', 'has "[" without a closed set'],
    ['[z-a]', 'repository', 'has the range "z-a" the wrong way round'],
    ['[A-Z]', 'repository', 'has the set "[A-Z]", which nothing can match'],
    ['a'.repeat(256), 'repository', 'is longer than 255 characters'],
  ])('refuses %j over a %s', (glob, subject, problem) => {
    expect(parseGlob(glob, subject)).toEqual({ ok: false, problem: expect.stringContaining(problem) });
  });
});
