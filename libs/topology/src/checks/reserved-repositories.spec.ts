import { describe, expect, it } from '@jest/globals';
import type { Planted } from '../planted.spec-helper.js';
import { expectFound, foundIn, policyWith } from '../retention/planted-policy.spec-helper.js';

const code = 'repository-reserved';
const says = 'is where Waybill holds what was deleted: take another name';
const old = 'rules: [{ name: r, action: keep }]';

const mistakes: readonly (Planted & { readonly name: string; readonly at: string })[] = [
  {
    name: 'the source of a path',
    paths: 'p: { from: snapshots, to: [stage], repositories: ["team/**", ▶"waybill-trash/**"], tags: x }',
    at: '/paths/p/repositories/1',
  },
  {
    name: 'the target of a path',
    paths: 'p: { from: snapshots, to: [stage], repositories: ["**"], tags: x, target: ▶"waybill-trash/{repository}" }',
    at: '/paths/p/target',
  },
  {
    name: 'what replicas hold',
    replications: '- { from: prod, to: [prod-us], repositories: [▶"waybill-trash/**"] }',
    at: '/replications/1/repositories/0',
  },
  {
    name: 'what a policy selects',
    retention: policyWith(old, { repositories: '[▶waybill-trash/team/*]' }),
    at: '/retention/1/repositories/0',
  },
  {
    name: 'what a policy includes',
    retention: policyWith(old, { repositories: '{ include: [▶waybill-trash] }' }),
    at: '/retention/1/repositories/include/0',
  },
  {
    name: 'the prefix of a registry',
    registries: 'bin: { role: prod, location: eu, url: "https://registry.example", prefix: ▶waybill-trash/team }',
    at: '/registries/bin/prefix',
  },
];

describe('reservedRepositories', () => {
  it.each(mistakes)('refuses the trash for $name', ({ name, at, ...planted }) => {
    expectFound({ name, ...planted, code, says, at });
  });

  it('leaves names alone that only begin alike, and what a policy leaves out', () => {
    const repositories = '{ include: [waybill-trashed/app], exclude: [waybill-trash/**] }';

    expect(foundIn({ retention: policyWith(old, { repositories }) }).filter((found) => found.startsWith(code))).toEqual([]);
  });
});
