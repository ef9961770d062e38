import { describe, expect, it } from '@jest/globals';
import { diagnose, placeOf, type Planted, topologyText } from '../planted.spec-helper.js';
import { roleMatrix, roles } from '../roles.js';

interface Mistake extends Planted {
  readonly name: string;
  readonly code: string;
  readonly says: string;
  readonly suggests?: string;
  readonly at: string;
}

const mistakes: readonly Mistake[] = [
  {
    name: 'a path to itself',
    code: 'path-to-itself',
    says: 'path "p" leads from "snapshots" to itself',
    at: '/paths/p/to/1',
    paths: 'p: { from: snapshots, to: [prod, ▶snapshots], repositories: ["**"], tags: ".*" }',
  },
  {
    name: 'a path out of a sandbox',
    code: 'role-forbids',
    says: 'nothing leaves a sandbox, so "box" can be no source',
    at: '/paths/p/from',
    paths: 'p: { from: ▶box, to: [prod], repositories: ["**"], tags: ".*" }',
  },
  {
    name: 'a path out of a cache',
    code: 'role-forbids',
    says: 'role "cache" feeds nothing, so "mirror" can be no source',
    at: '/paths/p/from',
    paths: 'p: { from: ▶mirror, to: [prod], repositories: ["**"], tags: ".*" }',
  },
  {
    name: 'a path out of a replica',
    code: 'role-forbids',
    says: 'role "replica" feeds nothing',
    at: '/paths/p/from',
    paths: 'p: { from: ▶prod-us, to: [archive], repositories: ["**"], tags: ".*" }',
  },
  {
    name: 'a path to an upstream',
    code: 'role-forbids',
    says: '"hub" has the role "upstream", which is never a target',
    at: '/paths/p/to/0',
    paths: 'p: { from: snapshots, to: [▶hub], repositories: ["**"], tags: ".*" }',
  },
  {
    name: 'a path to a cache',
    code: 'role-forbids',
    says: '"mirror" has the role "cache", which is never a target',
    at: '/paths/p/to/0',
    paths: 'p: { from: snapshots, to: [▶mirror], repositories: ["**"], tags: ".*" }',
  },
  {
    name: 'a path to a replica',
    code: 'role-forbids',
    says: '"prod-us" is a replica: it is fed by replication of its prod, not by paths',
    at: '/paths/p/to/0',
    paths: 'p: { from: prod, to: [▶prod-us], repositories: ["**"], tags: ".*" }',
  },
  {
    name: 'a path backwards',
    code: 'role-forbids',
    says: '"snapshots" has the role "ci-snapshots"; a registry of role "prod" may feed "archive"',
    at: '/paths/p/to/0',
    paths: 'p: { from: prod, to: [▶snapshots], repositories: ["**"], tags: ".*" }',
  },
  {
    name: 'a path that skips the matrix',
    code: 'role-forbids',
    says: 'may feed "ci-snapshots", "staging" and "prod"',
    at: '/paths/p/to/0',
    paths: 'p: { from: tests, to: [▶archive], repositories: ["**"], tags: ".*" }',
  },
  {
    name: 'a path from an upstream past the archive',
    code: 'role-forbids',
    says: 'may feed "archive"',
    at: '/paths/p/to/0',
    paths: 'p: { from: hub, to: [▶prod], repositories: ["**"], tags: ".*" }',
  },
];

describe('pathEdges', () => {
  it.each(mistakes)('$name', ({ code, says, suggests, at, ...planted }) => {
    const { found, marks } = diagnose(topologyText(planted));

    const diagnostic = found.find((one) => one.code === code && placeOf(one) === marks[0]);
    expect({ found: found.map((one) => `${one.code} ${placeOf(one)} ${one.message}`), diagnostic }).toMatchObject({
      diagnostic: { message: expect.stringContaining(says), path: at, severity: 'error' },
    });
    expect(diagnostic?.suggestion).toBe(suggests);
  });

  it('lets every edge of the role matrix pass', () => {
    const registryOf: Readonly<Record<string, string>> = {
      'ci-tests': 'tests',
      'ci-snapshots': 'snapshots',
      staging: 'stage',
      prod: 'prod',
      archive: 'archive',
      upstream: 'hub',
    };
    const paths = roles.flatMap((from) =>
      roleMatrix[from].feeds.map(
        (to) => `${from}-to-${to}: { from: ${registryOf[from]}, to: [${registryOf[to]}], repositories: ["${from}/*"], tags: x }`,
      ),
    );

    const { found } = diagnose(topologyText({ paths: paths.join('\n') }));

    expect(paths).toHaveLength(10);
    expect(found).toEqual([]);
  });
});
