import { describe, expect, it } from '@jest/globals';
import { isRepositoryName } from '@waybill/oci-model';
import fc from 'fast-check';
import { matchesGlob } from '../glob.js';
import { applyTemplate, parseTemplate, type TemplateSegment } from '../template.js';
import { type Collision, findCollision } from './find-collision.js';
import { PathSources } from './path-sources.js';
import { SearchBudget, SearchExhausted } from './search-budget.js';

interface Written {
  readonly from: string;
  readonly repositories: readonly string[];
  readonly target: string;
}

function segmentsOf(target: string): readonly TemplateSegment[] {
  const parsed = parseTemplate(target);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.segments;
}

function sourcesOf({ from, repositories, target }: Written): PathSources {
  return new PathSources({ from, repositories, template: segmentsOf(target) });
}

function collisionOf(one: Written, other: Written): Collision | undefined {
  return findCollision(sourcesOf(one), sourcesOf(other), new SearchBudget(100_000));
}

function made({ from, target }: Written, repository: string): string {
  return applyTemplate(segmentsOf(target), { registry: from, repository });
}

function shown(found: Collision | undefined): string | undefined {
  return found && `${found.one.registry}/${found.one.repository} = ${found.other.registry}/${found.other.repository}`;
}

describe('findCollision within one path', () => {
  it.each<[string, readonly string[], string, string | undefined]>([
    ['all of the name', ['**'], '{repository}', undefined],
    ['both parts of it', ['**'], 'x/{namespace}/{name}', undefined],
    ['both parts, the other way round', ['**'], '{name}/x/{namespace}', undefined],
    ['the last segment of many', ['**'], '{name}', 's/a = s/a/a'],
    ['the last segment with text', ['**'], 'x-{name}', 's/a = s/a/a'],
    ['the last segment below one namespace', ['team-a/*'], '{name}', undefined],
    ['the last segment below two', ['team-a/*', 'team-b/*'], '{name}', 's/team-a/a = s/team-b/a'],
    ['different last segments below two', ['team-a/app', 'team-b/web'], '{name}', undefined],
    ['the namespace', ['**'], '{namespace}', 's/a/a = s/a/b'],
    ['the namespace, which single segments lack', ['*'], '{namespace}', undefined],
    ['the namespace beside text, which single segments lack too', ['*'], 'x/{namespace}', 's/a = s/b'],
    ['the namespace of one name each', ['*/app'], '{namespace}', undefined],
    ['nothing, of one repository', ['app'], 'fixed', undefined],
    ['nothing, of one repository listed twice', ['app', 'app'], 'fixed', undefined],
    ['nothing, of two repositories', ['app', 'web'], 'fixed', 's/app = s/web'],
    ['nothing, of two namespaces', ['a/app', 'b/app'], 'fixed', 's/a/app = s/b/app'],
    ['nothing, of a glob', ['app-?'], 'fixed', 's/app-a = s/app-b'],
    ['nothing, of a pattern that no name matches', ['-*'], 'fixed', undefined],
  ])('keeping %s', (_name, repositories, target, expected) => {
    const path = { from: 's', repositories, target };

    expect(shown(collisionOf(path, path))).toBe(expected);
  });
});

describe('findCollision between paths', () => {
  it.each<[string, Written, Written, string | undefined]>([
    [
      'the same names from two registries',
      { from: 's', repositories: ['team-*/**'], target: '{repository}' },
      { from: 'r', repositories: ['team-a/app'], target: '{repository}' },
      's/team-a/app = r/team-a/app',
    ],
    [
      'patterns that only invalid names would share',
      { from: 's', repositories: ['x-*'], target: '{repository}' },
      { from: 'r', repositories: ['*-'], target: '{repository}' },
      undefined,
    ],
    [
      'disjoint patterns',
      { from: 's', repositories: ['a/**'], target: '{repository}' },
      { from: 'r', repositories: ['b/**'], target: '{repository}' },
      undefined,
    ],
    [
      'registries in the names',
      { from: 's', repositories: ['**'], target: '{registry}/{repository}' },
      { from: 'r', repositories: ['**'], target: '{registry}/{repository}' },
      undefined,
    ],
    [
      'the registry in one name only',
      { from: 's', repositories: ['**'], target: '{registry}/{repository}' },
      { from: 'r', repositories: ['**'], target: '{repository}' },
      's/a = r/s/a',
    ],
    [
      'parts that change places',
      { from: 's', repositories: ['a/b/c'], target: '{name}/{namespace}' },
      { from: 'r', repositories: ['c/**'], target: '{repository}' },
      's/a/b/c = r/c/a/b',
    ],
    [
      'one repository by two paths',
      { from: 's', repositories: ['a/**'], target: '{repository}' },
      { from: 's', repositories: ['**/b'], target: '{repository}' },
      undefined,
    ],
    [
      'one template in two spellings',
      { from: 's', repositories: ['**'], target: 'x/{namespace}/{name}' },
      { from: 's', repositories: ['**'], target: 'x/{repository}' },
      undefined,
    ],
    [
      'two templates of one registry that may meet',
      { from: 's', repositories: ['a/*'], target: '{namespace}' },
      { from: 's', repositories: ['**'], target: '{name}' },
      's/a/a = s/a',
    ],
    [
      'two templates of one registry that seem to meet',
      { from: 's', repositories: ['a/**'], target: '{repository}' },
      { from: 's', repositories: ['a/*'], target: 'a/{name}' },
      's/a/a = s/a/a',
    ],
  ])('%s', (_name, one, other, expected) => {
    expect(shown(collisionOf(one, other))).toBe(expected);
  });

  it('gives up when the budget is spent', () => {
    const path = { from: 's', repositories: ['**'], target: '{name}' };

    expect(() => findCollision(sourcesOf(path), sourcesOf(path), new SearchBudget(10))).toThrow(SearchExhausted);
  });
});

const segments = ['a', 'b', 's'];
const universe = [
  ...segments,
  ...segments.flatMap((one) => segments.map((two) => `${one}/${two}`)),
  ...segments.flatMap((one) => segments.flatMap((two) => segments.map((three) => `${one}/${two}/${three}`))),
];

const written: fc.Arbitrary<Written> = fc.record({
  from: fc.constantFrom('s', 'r'),
  repositories: fc.uniqueArray(fc.constantFrom('**', '*', 'a', 'b/*', 'a/**', '**/b', '*/s', '?/a/*', '[ab]/*', 's/**/a', 'b/a'), {
    minLength: 1,
    maxLength: 2,
  }),
  target: fc.constantFrom(
    '{repository}',
    '{name}',
    '{namespace}',
    '{namespace}/{name}',
    '{name}/{namespace}',
    'a/{name}',
    's/{repository}',
    'a',
    '{registry}/{name}',
    '{registry}/{repository}',
    'a/{namespace}',
  ),
});

describe('findCollision, compared with trying all short names', () => {
  it('misses nothing', () => {
    fc.assert(
      fc.property(written, written, (one, other) => {
        const isTried = tried(one, other);

        expect({ isTried, isFound: isTried && collisionOf(one, other) !== undefined }).toEqual({ isTried, isFound: isTried });
      }),
      { numRuns: 1000 },
    );
  });

  it('gives examples that are true', () => {
    fc.assert(
      fc.property(written, written, (one, other) => {
        const found = collisionOf(one, other);
        if (found === undefined) return;

        expect(matchesGlob(one.repositories, found.one.repository, 'repository')).toBe(true);
        expect(matchesGlob(other.repositories, found.other.repository, 'repository')).toBe(true);
        expect(made(one, found.one.repository)).toBe(made(other, found.other.repository));
        expect([found.one.repository, found.other.repository, made(one, found.one.repository)].every(isRepositoryName)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('is exact for two registries and for one template', () => {
    fc.assert(
      fc.property(written, written, fc.boolean(), (one, different, isOneTemplate) => {
        const other = isOneTemplate
          ? { ...different, from: one.from, target: one.target }
          : { ...different, from: one.from === 's' ? 'r' : 's' };
        const found = collisionOf(one, other);

        if (found === undefined) return;

        expect(found.one).not.toEqual(found.other);
      }),
      { numRuns: 1000 },
    );
  });
});

/** Does any pair of different sources from the universe become the same name? */
function tried(one: Written, other: Written): boolean {
  const sourcesByName = new Map<string, Set<string>>();
  for (const repository of universe.filter((name) => matchesGlob(one.repositories, name, 'repository'))) {
    const target = made(one, repository);
    sourcesByName.set(target, (sourcesByName.get(target) ?? new Set()).add(`${one.from}/${repository}`));
  }
  sourcesByName.delete('');
  return universe
    .filter((name) => matchesGlob(other.repositories, name, 'repository'))
    .some((name) => Array.from(sourcesByName.get(made(other, name)) ?? []).some((source) => source !== `${other.from}/${name}`));
}
