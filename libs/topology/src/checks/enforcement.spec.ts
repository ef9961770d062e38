import { describe, expect, it } from '@jest/globals';
import { expectFound, foundIn, policyWith } from '../retention/planted-policy.spec-helper.js';

const code = 'not-implemented';
const says = 'enforce is not built yet; dryRun plans';

describe('enforcement', () => {
  it('is refused of a policy', () => {
    expectFound({ name: 'policy', retention: policyWith('mode: ▶enforce'), code, says, at: '/retention/1/mode' });
  });

  it.each([
    ['wipe: { schedule: "0 3 * * *", mode: ▶enforce }', '/registries/x/wipe/mode'],
    ['retention: { rules: default, mode: ▶enforce }', '/registries/x/retention/mode'],
  ])('is refused of a registry: %s', (key, at) => {
    expectFound({ name: key, registries: `x: { role: sandbox, location: eu, local: true, ${key} }`, code, says, at });
  });

  it.each(['disabled', 'dryRun'])('leaves %s alone', (mode) => {
    expect(foundIn({ retention: policyWith(`mode: ${mode}`) })).toEqual([]);
  });

  it('needs credentials where it would write', () => {
    const registries = 'x: { role: staging, location: eu, url: "https://x.example" }';
    const removes = 'untagged: { olderThan: 7d }';

    expect(foundIn({ registries, retention: policyWith(`mode: enforce, ${removes}`, { registry: 'x' }) })).toContainEqual(
      expect.stringContaining('credentials-missing registry "x"'),
    );
    expect(foundIn({ registries, retention: policyWith(removes, { registry: 'x' }) })).toEqual([]);
  });
});
