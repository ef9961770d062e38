import { describe, expect, it } from '@jest/globals';
import { admits, isImmutableTag, type PromotionPath, type Topology } from '@waybill/topology';
import fc from 'fast-check';
import { graphs } from '../invariants/random-repository.spec-helper.js';
import { compileRepositoryGlobs, compileTagGlobs } from './glob.js';

/** What the rest of the topology makes of a glob over tags. */
function protects(pattern: string, tag: string): boolean {
  const registry = {
    name: 'prod',
    role: 'prod',
    location: 'eu',
    insecure: false,
    immutableTags: { kind: 'patterns', patterns: [pattern] },
  } as const;
  const topology: Topology = {
    name: 'one',
    locations: { eu: { egress: {} } },
    registries: { prod: registry },
    paths: {},
    replications: [],
    retention: [],
  };
  return isImmutableTag(topology, 'prod', tag);
}

/** What the rest of the topology makes of a glob over repositories. */
function carries(glob: string, repository: string): boolean {
  const path: PromotionPath = { name: 'path', from: 'a', to: ['b'], repositories: [glob], tags: '.*', target: '{repository}' };
  return admits(path, repository, 'tag').admitted;
}

const glyph = fc.constantFrom('a', 'b', '1', '*', '?', '[a-b]', '[!a]', '[^1b]');
const segment = fc.array(glyph, { minLength: 1, maxLength: 5 }).map((glyphs) => glyphs.join('').replaceAll(/\*+/g, '*'));
const text = fc.stringMatching(/^[ab1]{1,6}$/);

describe('globs', () => {
  it('mean over tags what they mean in the rest of the topology', () => {
    fc.assert(
      fc.property(segment, text, (glob, tag) => {
        expect(compileTagGlobs([glob])(tag)).toBe(protects(glob, tag));
      }),
      { ...graphs, numRuns: graphs.numRuns * 10 },
    );
  });

  it('mean over repositories what they mean in the rest of the topology', () => {
    const globs = fc.array(fc.oneof(segment, fc.constant('**')), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
    const repositories = fc.array(text, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));

    fc.assert(
      fc.property(globs, repositories, (glob, repository) => {
        expect(compileRepositoryGlobs([glob])(repository)).toBe(carries(glob, repository));
      }),
      { ...graphs, numRuns: graphs.numRuns * 10 },
    );
  });

  it.each([
    ['team/**', 'team/app', true],
    ['team/**', 'team', false],
    ['**/app', 'app', true],
    ['team/*/app', 'team/a/b/app', false],
  ])('%s and %s: %s', (glob, repository, matches) => {
    expect(compileRepositoryGlobs([glob])(repository)).toBe(matches);
  });

  it('answers about a tag that makes backtracking matchers hang', () => {
    expect(compileTagGlobs([`${'a*'.repeat(60)}b`])('a'.repeat(128))).toBe(false);
  });

  it.each(['', 'a**', 'a[b', 'a[]'])('refuses %j', (glob) => {
    expect(() => compileTagGlobs([glob])).toThrow(expect.objectContaining({ code: 'pattern-invalid' }));
  });
});
