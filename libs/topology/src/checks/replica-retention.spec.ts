import { describe, expect, it } from '@jest/globals';
import { expectFound, foundIn, policyWith, ruleWith } from '../retention/planted-policy.spec-helper.js';

const registry = 'prod-us';
const r = '/retention/1/rules/0';
const gone = 'absentFrom: { registry: prod, duration: 30d }';

describe('replicaRetention', () => {
  it.each<readonly [string, string, string, string, string?]>([
    ['age alone', 'action: ▶delete, olderThan: { of: pushed, duration: 30d }', 'it deletes only what is "absentFrom" its prod', '/action'],
    ['no criterion', 'action: ▶delete', 'it deletes only what is "absentFrom" its prod', '/action'],
    ['archiving', `action: ▶archive, ${gone}`, 'it can delete what that has given up, not archive', '/action'],
    ['untagging', `action: ▶untag, ${gone}`, 'it can delete what that has given up, not untag', '/action'],
    [
      'any of two',
      `action: delete, criteria: ▶any, ${gone}, olderThan: { of: pushed, duration: 1d }`,
      'so the criteria are "all"',
      '/criteria',
    ],
    [
      'absence elsewhere',
      'action: delete, absentFrom: { registry: ▶archive, duration: 30d }',
      'what counts is "prod", not "archive"',
      '/absentFrom/registry',
      'prod',
    ],
  ])('refuses %s', (name, keys, ...expected) => {
    const [says, at, suggests] = expected;
    const retention = ruleWith(keys, { registry });

    expectFound({ name, retention, code: 'retention-role', says, at: `${r}${at}`, ...(suggests === undefined ? {} : { suggests }) });
  });

  it('refuses to remove what is untagged, which is pulled by its digest', () => {
    const retention = policyWith('▶untagged: { olderThan: 30d }', { registry });

    expectFound({ name: 'untagged', retention, code: 'retention-role', says: 'say "absentFrom" in a rule', at: '/retention/1/untagged' });
  });

  it.each([`action: delete, ${gone}`, `action: delete, ${gone}, olderThan: { of: pushed, duration: 1d }`, 'action: keep'])(
    'takes %s',
    (keys) => {
      expect(foundIn({ retention: ruleWith(keys, { registry }) })).toEqual([]);
    },
  );

  it('takes the default, which is the same', () => {
    const registries = 'x: { role: replica, of: prod, location: us, local: true, retention: default }';

    expect(foundIn({ registries, replications: '- { from: prod, to: [x], repositories: ["**"] }' })).toEqual([]);
  });
});
