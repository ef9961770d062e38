import { describe, expect, it } from '@jest/globals';
import { systemClock } from './clock.js';

describe('systemClock', () => {
  it('tells the time of this process', () => {
    const before = Date.now();
    const now = systemClock.now().getTime();

    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Date.now());
  });

  it('measures with a clock that never runs backwards', () => {
    const readings = Array.from({ length: 1_000 }, () => systemClock.monotonic());

    expect(readings.toSorted((one, other) => one - other)).toEqual(readings);
  });
});
