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
    name: 'a replica of nothing',
    code: 'replica-of-nothing',
    says: 'replica "copy" does not say of which prod registry',
    at: '/registries/copy',
    registries: '▶copy: { role: replica, location: us, local: true }',
  },
  {
    name: 'a replica of a registry that is no prod',
    code: 'replica-of-wrong-role',
    says: '"snapshots" has the role "ci-snapshots"',
    at: '/registries/copy/of',
    registries: 'copy: { role: replica, of: ▶snapshots, location: us, local: true }',
  },
  {
    name: 'a replica of a replica',
    code: 'replica-of-wrong-role',
    says: '"prod-us" has the role "replica"',
    at: '/registries/copy/of',
    registries: 'copy: { role: replica, of: ▶prod-us, location: us, local: true }',
  },
  {
    name: 'a replica of itself',
    code: 'replica-of-wrong-role',
    says: '"copy" has the role "replica"',
    at: '/registries/copy/of',
    registries: 'copy: { role: replica, of: ▶copy, location: us, local: true }',
  },
  {
    name: 'of on another role',
    code: 'of-on-non-replica',
    says: '"of" belongs to replicas; "far" has the role "sandbox"',
    at: '/registries/far/of',
    registries: 'far: { role: sandbox, location: us, local: true, ▶of: prod }',
  },
];

describe('replicas', () => {
  it.each(mistakes)('$name', ({ code, says, suggests, at, ...planted }) => {
    const { found, marks } = diagnose(topologyText(planted));

    const diagnostic = found.find((one) => one.code === code && placeOf(one) === marks[0]);
    expect({ found: found.map((one) => `${one.code} ${placeOf(one)} ${one.message}`), diagnostic }).toMatchObject({
      diagnostic: { message: expect.stringContaining(says), path: at, severity: 'error' },
    });
    expect(diagnostic?.suggestion).toBe(suggests);
  });

  it('does not call an "of" that is wrong a missing one', () => {
    const { found } = diagnose(topologyText({ registries: 'copy: { role: replica, of: 5, location: us, local: true }' }));

    expect(found.map(({ code }) => code)).toEqual(['replica-unfed', 'value-invalid']);
  });
});
