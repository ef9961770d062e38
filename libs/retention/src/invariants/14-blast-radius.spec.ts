import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { applyLimits } from '../apply-limits.js';
import { plan, Seen } from './naive.spec-helper.js';
import { graphs, situations } from './random-repository.spec-helper.js';

const limits = fc.record({
  maxDeletePercent: fc.integer({ min: 0, max: 100 }),
  maxDeleteCount: fc.integer({ min: 0, max: 5 }),
  maxDeleteBytes: fc.integer({ min: 0, max: 8_000 }),
});

describe('invariant 14: a run removes no more than its policy allows', () => {
  it('is within when its decisions are, and names each limit that they are beyond', () => {
    const seen = { within: new Seen(), exceeded: new Seen() };

    fc.assert(
      fc.property(fc.array(situations, { minLength: 1, maxLength: 3 }), limits, fc.nat({ max: 20 }), (all, allowed, others) => {
        const plans = all.map((situation) => plan(situation));
        const artifacts = plans.flatMap(({ manifests }) => manifests.filter(({ isLogical }) => isLogical));
        const untagged = plans.flatMap(({ tags }) => tags.filter(({ action }) => action === 'untag'));
        const count = artifacts.filter(({ action }) => action !== 'keep').length + untagged.length;
        const bytes = plans.reduce((sum, { reclaimableBytesAtMost }) => sum + reclaimableBytesAtMost, 0);
        const total = artifacts.length + others;
        const beyond = [
          ...(count > 0 && count * 100 > allowed.maxDeletePercent * total ? ['maxDeletePercent'] : []),
          ...(count > allowed.maxDeleteCount ? ['maxDeleteCount'] : []),
          ...(bytes > allowed.maxDeleteBytes ? ['maxDeleteBytes'] : []),
        ];
        const verdict = applyLimits(plans, allowed, { artifacts: total });
        seen.within.note(count > 0 && verdict.kind === 'within');
        seen.exceeded.note(verdict.kind === 'exceeded');

        expect(verdict.kind).toBe(beyond.length === 0 ? 'within' : 'exceeded');
        expect(verdict.kind === 'exceeded' ? verdict.exceeded.map(({ limit }) => limit) : []).toEqual(beyond);
        expect(verdict.planned).toMatchObject({ count, bytesAtMost: bytes });
      }),
      graphs,
    );

    for (const one of Object.values(seen)) expect(one.count).toBeGreaterThan(0);
  });
});
