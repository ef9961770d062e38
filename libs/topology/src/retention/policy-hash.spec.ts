import { describe, expect, it } from '@jest/globals';
import type { RetentionPolicy } from './policy.js';
import { policyHash } from './policy-hash.js';

const policy: RetentionPolicy = {
  name: 'p',
  registry: 'tests',
  origin: 'declared',
  mode: 'dryRun',
  schedule: { cron: '0 3 * * *', timezone: 'UTC' },
  repositories: { include: ['**'], exclude: [] },
  rules: [
    { name: 'k', action: 'keep', match: {}, criteria: 'any', mostRecent: { by: 'pushed', count: 3 } },
    { name: 'd', action: 'delete', match: {}, criteria: 'all', olderThan: { of: 'pushed', durationMs: 1 } },
  ],
  untagged: { olderThanMs: 1 },
  protect: { immutable: ['v*'], minKeepPerRepository: 3, promotedWithinMs: 1, rollbackDepth: 3 },
  limits: { maxDeletePercent: 20, maxDeleteCount: 500, maxDeleteBytes: 1 },
  graceMs: 1,
  softDelete: { ttlMs: 1 },
};

function without(key: 'untagged' | 'softDelete'): RetentionPolicy {
  return Object.fromEntries(Object.entries(policy).filter(([name]) => name !== key)) as unknown as RetentionPolicy;
}

describe('policyHash', () => {
  it.each<[string, RetentionPolicy]>([
    ['the registry', { ...policy, registry: 'snapshots' }],
    ['what is included', { ...policy, repositories: { include: ['a'], exclude: [] } }],
    ['what is excluded', { ...policy, repositories: { include: ['**'], exclude: ['a'] } }],
    ['a rule less', { ...policy, rules: policy.rules.slice(0, 1) }],
    ['the order of the rules', { ...policy, rules: policy.rules.toReversed() }],
    ['the name of a rule', { ...policy, rules: policy.rules.map((rule) => ({ ...rule, name: `${rule.name}x` })) }],
    ['a match', { ...policy, rules: policy.rules.map((rule) => ({ ...rule, match: { signed: true } })) }],
    ['untagged', { ...policy, untagged: { olderThanMs: 2 } }],
    ['no untagged', without('untagged')],
    ['a protection', { ...policy, protect: { ...policy.protect, immutable: [] } }],
    ['a limit', { ...policy, limits: { ...policy.limits, maxDeleteCount: 501 } }],
    ['the grace', { ...policy, graceMs: 2 }],
    ['the trash', { ...policy, softDelete: { ttlMs: 2 } }],
    ['no trash', without('softDelete')],
  ])('changes with %s', (_name, changed) => {
    expect(policyHash(changed)).not.toBe(policyHash(policy));
  });

  it.each<[string, RetentionPolicy]>([
    ['the name', { ...policy, name: 'q' }],
    ['the mode', { ...policy, mode: 'enforce' }],
    ['the schedule', { ...policy, schedule: { cron: '0 4 * * *', timezone: 'Europe/Berlin', windowMs: 1 } }],
    ['the origin', { ...policy, origin: 'wipe' }],
    ['the order of keys', Object.fromEntries(Object.entries(policy).toReversed()) as unknown as RetentionPolicy],
  ])('does not change with %s', (_name, changed) => {
    expect(policyHash(changed)).toBe(policyHash(policy));
  });

  it('is what it always was, so that approvals stay', () => {
    expect(policyHash(policy)).toBe('80ce734a46515ff47e39493263c828283a1271eefc40caf9dc1fab12507e82be');
  });
});
