import { describe, expect, it } from '@jest/globals';
import { diagnose, placeOf, type Planted, topologyText } from '../planted.spec-helper.js';

interface Mistake extends Planted {
  readonly name: string;
  readonly code: string;
  readonly says: string;
  readonly suggests?: string;
  readonly at: string;
}

const mistakes: readonly Mistake[] = [
  {
    name: 'two registries under the same names',
    code: 'paths-collide',
    says: 'paths "p" and "q" collide: "snapshots/a" and "stage/a" would both become "prod/a"',
    at: '/paths/q',
    paths:
      'p: { from: snapshots, to: [prod], repositories: ["**"], tags: ".*" }\n▶q: { from: stage, to: [prod], repositories: ["**"], tags: ".*" }',
  },
  {
    name: 'a path that keeps only the last segment',
    code: 'paths-collide',
    says: 'path "p" collides with itself: "snapshots/a" and "snapshots/a/a" would both become "prod/a"',
    at: '/paths/p/target',
    paths: 'p: { from: snapshots, to: [prod], repositories: ["**"], tags: x, target: ▶"{name}" }',
  },
  {
    name: 'two paths that differ in what they leave out',
    code: 'paths-collide',
    says: '"snapshots/team-a/a" and "snapshots/team-b/a" would both become "prod/a"',
    at: '/paths/q',
    paths:
      'p: { from: snapshots, to: [prod], repositories: ["team-a/*"], tags: x, target: "{name}" }\n▶q: { from: snapshots, to: [prod], repositories: ["team-b/*"], tags: x, target: "{name}" }',
  },
  {
    name: 'templates over one registry that overlap',
    code: 'paths-collide',
    says: 'their templates overlap, e.g. at "prod/a/a", and different sources cannot be ruled out',
    at: '/paths/q',
    paths:
      'p: { from: snapshots, to: [prod], repositories: ["a/**"], tags: x }\n▶q: { from: snapshots, to: [prod], repositories: ["a/*"], tags: x, target: "a/{name}" }',
  },
];

describe('collidingPaths', () => {
  it.each(mistakes)('$name', ({ code, says, suggests, at, ...planted }) => {
    const { found, marks } = diagnose(topologyText(planted));

    const diagnostic = found.find((one) => one.code === code && placeOf(one) === marks[0]);
    expect({ found: found.map((one) => `${one.code} ${placeOf(one)} ${one.message}`), diagnostic }).toMatchObject({
      diagnostic: { message: expect.stringContaining(says), path: at, severity: 'error' },
    });
    expect(diagnostic?.suggestion).toBe(suggests);
  });

  it.each([
    ['different targets', ['{ from: snapshots, to: [prod]', '{ from: tests, to: [stage]'], ''],
    [
      'different repositories',
      ['{ from: snapshots, to: [prod], repositories: ["a/**"]', '{ from: stage, to: [prod], repositories: ["b/**"]'],
      '',
    ],
    ['the registry in the name', ['{ from: snapshots, to: [prod]', '{ from: stage, to: [prod]'], 'target: "{registry}/{repository}"'],
    ['one source registry', ['{ from: snapshots, to: [prod]', '{ from: snapshots, to: [prod]'], ''],
  ])('keeps paths apart by %s', (_name, edges, target) => {
    const paths = edges.map((edge, index) => {
      const repositories = edge.includes('repositories') ? '' : ', repositories: ["**"]';
      return `p${index}: ${edge}${repositories}, tags: x, ${target} }`;
    });

    expect(diagnose(topologyText({ paths: paths.join('\n') })).found).toEqual([]);
  });

  it('refuses what would take too long to decide, instead of deciding it', () => {
    const glob = (path: number, index: number): string => `"*a*b*c*${path}x${index}*/**/*${index}*y"`;
    const paths = Array.from({ length: 60 }, (_path, path) => {
      const globs = Array.from({ length: 50 }, (_glob, index) => glob(path, index)).join();
      const [from, target] = path % 2 === 0 ? ['snapshots', '{repository}'] : ['stage', '{name}/{namespace}'];
      return `p${path}: { from: ${from}, to: [prod], repositories: [${globs}], tags: x, target: "${target}" }`;
    });

    const { found } = diagnose(topologyText({ paths: paths.join('\n') }));

    expect(found.at(-1)?.message).toMatch(/^paths are too many and too different to rule out collisions from "p\d+" on/);
  });
});
