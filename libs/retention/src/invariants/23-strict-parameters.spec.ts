import { describe, expect, it } from '@jest/globals';
import type { RetentionPolicy, RetentionRule } from '@waybill/topology';
import fc from 'fast-check';
import { compilePolicy } from '../compile/compile-policy.js';
import { policy } from '../scene.spec-helper.js';
import { graphs, somePolicies } from './random-repository.spec-helper.js';

const noDuration = fc.oneof(fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -1), fc.double({ max: -Number.MIN_VALUE, noNaN: true }));
const noCount = fc.oneof(
  noDuration,
  fc.integer().map((whole) => whole + 0.5),
);

const keep = { name: 'rule', action: 'keep', match: {}, criteria: 'any' } as const;
const remove = { name: 'rule', action: 'delete', match: {}, criteria: 'all' } as const;
const protecting = (facts: Partial<RetentionPolicy['protect']>) => policy([], { protect: { ...policy([]).protect, ...facts } });

const mistakes: readonly [string, fc.Arbitrary<number>, (number: number) => RetentionPolicy][] = [
  ['mostRecent.count', noCount, (count) => policy([{ ...keep, mostRecent: { by: 'pushed', count } }])],
  ['within', noDuration, (durationMs) => policy([{ ...keep, within: { of: 'pushed', durationMs } }])],
  ['olderThan', noDuration, (durationMs) => policy([{ ...remove, olderThan: { of: 'pushed', durationMs } }])],
  ['absentFrom', noDuration, (durationMs) => policy([{ ...remove, absentFrom: { registry: 'prod', durationMs } }])],
  ['untagged.olderThan', noDuration, (olderThanMs) => policy([], { untagged: { olderThanMs } })],
  ['minKeepPerRepository', noCount, (minKeepPerRepository) => protecting({ minKeepPerRepository })],
  ['rollbackDepth', noCount, (rollbackDepth) => protecting({ rollbackDepth })],
  ['promotedWithin', noDuration, (promotedWithinMs) => protecting({ promotedWithinMs })],
];

describe('invariant 23: parameters are taken as they are, or not at all', () => {
  it.each(mistakes)('refuses a %s that is no such number, and names it', (place, numbers, policyWith) => {
    fc.assert(
      fc.property(numbers, (number) => {
        expect(() => compilePolicy(policyWith(number))).toThrow(
          expect.objectContaining({ code: 'policy-invalid', message: expect.stringContaining(place) }),
        );
      }),
      graphs,
    );
  });

  it.each<[string, RetentionRule]>([
    ['an archive without a registry', { ...remove, action: 'archive' }],
    ['a registry to archive to without an archive', { ...remove, to: 'archive' }],
  ])('refuses %s', (_, rule) => {
    expect(() => compilePolicy(policy([rule]))).toThrow(expect.objectContaining({ code: 'policy-invalid' }));
  });

  it.each<[string, RetentionRule]>([
    ['an expression', { ...remove, match: { tags: { regex: '(' } } }],
    ['a glob over tags', { ...remove, match: { tags: { glob: ['a[b'] } } }],
    ['a glob over repositories', { ...remove, match: { repositories: ['team//app'] } }],
    ['a range', { ...remove, match: { tags: { semver: 'latest' } } }],
    ['a grouping', { ...keep, mostRecent: { by: 'pushed', count: 1, groupBy: '(' } }],
  ])('refuses %s that does not compile', (_, rule) => {
    expect(() => compilePolicy(policy([rule]))).toThrow(expect.objectContaining({ code: 'pattern-invalid' }));
  });

  it('takes every policy that makes sense', () => {
    fc.assert(
      fc.property(somePolicies, (policies) => {
        expect(policies.map((one) => compilePolicy(one)?.name)).toEqual(policies.map(({ name }) => name));
      }),
      graphs,
    );
  });
});
