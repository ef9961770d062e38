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
    name: 'replication from a registry that is no prod',
    code: 'replication-source',
    says: 'replication starts at a prod registry; "snapshots" has the role "ci-snapshots"',
    at: '/replications/1/from',
    replications: '- { from: ▶snapshots, to: [prod-us], repositories: ["**"] }',
  },
  {
    name: 'replication to a registry that is no replica',
    code: 'replication-target',
    says: 'replication feeds replicas; "archive" has the role "archive"',
    at: '/replications/1/to/1',
    replications: '- { from: prod, to: [prod-us, ▶archive], repositories: ["**"] }',
  },
  {
    name: "replication from another prod than the replica's",
    code: 'replication-source',
    says: '"prod-us" is a replica of "prod", not of "prod2"',
    at: '/replications/1/to/0',
    registries: 'prod2: { role: prod, location: eu, local: true }',
    replications: '- { from: prod2, to: [▶prod-us], repositories: ["**"] }',
  },
];

describe('replicationEdges', () => {
  it.each(mistakes)('$name', ({ code, says, suggests, at, ...planted }) => {
    const { found, marks } = diagnose(topologyText(planted));

    const diagnostic = found.find((one) => one.code === code && placeOf(one) === marks[0]);
    expect({ found: found.map((one) => `${one.code} ${placeOf(one)} ${one.message}`), diagnostic }).toMatchObject({
      diagnostic: { message: expect.stringContaining(says), path: at, severity: 'error' },
    });
    expect(diagnostic?.suggestion).toBe(suggests);
  });

  it('warns of a replica that nothing feeds', () => {
    const { found, marks } = diagnose(topologyText({ registries: '▶copy: { role: replica, of: prod, location: us, local: true }' }));

    expect(found).toMatchObject([
      { code: 'replica-unfed', severity: 'warning', message: 'no replication feeds replica "copy": it stays empty' },
    ]);
    expect(found.map(placeOf)).toEqual(marks);
  });
});
