import { describe, expect, it } from '@jest/globals';
import { expectFound, foundIn, policyWith } from '../retention/planted-policy.spec-helper.js';

const second = (name: string): string => `- { name: ${name}, registry: snapshots, schedule: "0 3 * * *", repositories: ["a"] }`;

describe('retentionNames', () => {
  it.each([
    ['of one registry', `${policyWith('')}\n${second('▶p').replace('snapshots', 'tests')}`],
    ['of two registries', `${policyWith('')}\n${second('▶p')}`],
  ])('refuses two policies %s with one name', (name, retention) => {
    expectFound({
      name,
      retention,
      code: 'retention-duplicate',
      says: 'policy name "p" is taken by another policy',
      at: '/retention/2/name',
    });
  });

  it.each([
    ['x-default', 'retention: default', '"retention" of registry "x"'],
    ['x-wipe', 'wipe: { schedule: "0 3 * * *" }', '"wipe" of registry "x"'],
  ])('refuses %s where a registry makes a policy of that name', (name, key, owner) => {
    const registries = `x: { role: sandbox, location: eu, local: true, ${key} }`;

    expectFound({ name, registries, retention: second(`▶${name}`), code: 'retention-duplicate', says: owner, at: '/retention/1/name' });
  });

  it('refuses two rules of one policy with one name', () => {
    const retention = policyWith('rules: [{ name: r, action: keep }, { name: ▶r, action: keep }]');

    expectFound({ name: 'r', retention, code: 'retention-duplicate', says: 'rule name "r" is taken', at: '/retention/1/rules/1/name' });
  });

  it('lets two policies have rules of one name', () => {
    const rule = 'rules: [{ name: r, action: delete, olderThan: { of: pushed, duration: 1d } }]';

    expect(foundIn({ retention: `${policyWith(rule)}\n${policyWith(rule).replace('name: p', 'name: q')}` })).toEqual([]);
  });
});
