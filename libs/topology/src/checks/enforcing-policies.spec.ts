import { describe, expect, it } from '@jest/globals';
import { foundIn, policyWith } from '../retention/planted-policy.spec-helper.js';

describe('a policy that acts', () => {
  it.each(['disabled', 'dryRun', 'enforce'])('may say %s', (mode) => {
    expect(foundIn({ retention: policyWith(`mode: ${mode}`) })).toEqual([]);
  });

  it.each(['wipe: { schedule: "0 3 * * *", mode: enforce }', 'retention: { rules: default, mode: enforce }'])(
    'may be that of a registry: %s',
    (key) => {
      expect(foundIn({ registries: `x: { role: sandbox, location: eu, local: true, ${key} }` })).toEqual([]);
    },
  );

  it('needs credentials where it would write', () => {
    const registries = 'x: { role: staging, location: eu, url: "https://x.example" }';
    const removes = 'untagged: { olderThan: 7d }';

    expect(foundIn({ registries, retention: policyWith(`mode: enforce, ${removes}`, { registry: 'x' }) })).toContainEqual(
      expect.stringContaining('credentials-missing registry "x"'),
    );
    expect(foundIn({ registries, retention: policyWith(removes, { registry: 'x' }) })).toEqual([]);
  });
});
