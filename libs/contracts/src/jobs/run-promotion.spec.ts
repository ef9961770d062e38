import { describe, expect, it } from '@jest/globals';
import { RunPromotion } from './run-promotion.js';

const valid = { v: 1, promotionId: '01931b2e-7d4a-7c1e-9f65-0d4c5a1b2c3d', location: 'us-east-1', dispatch: 3 };

describe('RunPromotion', () => {
  it('takes ids and a version', () => {
    expect(RunPromotion.parse(valid)).toEqual(valid);
  });

  it.each<[string, unknown]>([
    ['another version', { ...valid, v: 2 }],
    ['no version', { ...valid, v: undefined }],
    ['what is no UUID', { ...valid, promotionId: '7' }],
    ['a location that would end the name of a queue', { ...valid, location: 'eu:wait' }],
    ['an empty location', { ...valid, location: '' }],
    ['an endless location', { ...valid, location: 'x'.repeat(64) }],
    ['half a dispatch', { ...valid, dispatch: 1.5 }],
    ['a negative dispatch', { ...valid, dispatch: -1 }],
    ['more than ids', { ...valid, digest: 'sha256:00' }],
    ['nothing', undefined],
  ])('refuses %s', (_what, payload) => {
    expect(RunPromotion.safeParse(payload).success).toBe(false);
  });
});
