import { describe, expect, it } from '@jest/globals';
import { Recently } from './recently.js';

describe('Recently', () => {
  it('remembers for a while, and so many', () => {
    let now = 0;
    const recently = new Recently({ forMs: 1_000, max: 2, clock: { now: () => new Date(now), monotonic: () => now } });
    recently.note('a');
    recently.note('b');
    expect([recently.has('a'), recently.has('b'), recently.has('c')]).toEqual([true, true, false]);

    recently.note('a');
    recently.note('c');
    expect([recently.has('a'), recently.has('b'), recently.has('c')]).toEqual([true, false, true]);

    now = 1_000;
    expect(recently.has('a')).toBe(false);
  });
});
