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
    name: 'a target of a path twice',
    code: 'target-duplicate',
    says: 'target "prod" stands in this list twice',
    at: '/paths/p/to/2',
    paths: 'p: { from: snapshots, to: [prod, stage, ▶prod], repositories: ["**"], tags: ".*" }',
  },
  {
    name: 'a target of a replication twice',
    code: 'target-duplicate',
    says: 'target "prod-us" stands in this list twice',
    at: '/replications/1/to/1',
    replications: '- { from: prod, to: [prod-us, ▶prod-us], repositories: ["a"] }',
  },
];

describe('duplicateTargets', () => {
  it.each(mistakes)('$name', ({ code, says, suggests, at, ...planted }) => {
    const { found, marks } = diagnose(topologyText(planted));

    const diagnostic = found.find((one) => one.code === code && placeOf(one) === marks[0]);
    expect({ found: found.map((one) => `${one.code} ${placeOf(one)} ${one.message}`), diagnostic }).toMatchObject({
      diagnostic: { message: expect.stringContaining(says), path: at, severity: 'error' },
    });
    expect(diagnostic?.suggestion).toBe(suggests);
  });
});
