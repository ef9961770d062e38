import { describe, expect, it } from '@jest/globals';
import { sampleOf, seeded } from './seeded.js';

describe('numbers of a seed', () => {
  it('are the same for the same seed, and others for another one', () => {
    const firstOf = (seed: number) => Array.from({ length: 5 }, seeded(seed));

    expect(firstOf(1)).toEqual(firstOf(1));
    expect(firstOf(1)).not.toEqual(firstOf(2));
    for (const number of firstOf(3)) expect(number >= 0 && number < 1).toBe(true);
  });
});

describe('a sample', () => {
  it('has each at most once, and no more than there are', () => {
    expect(sampleOf(['a', 'b', 'c'], 5, seeded(1)).toSorted()).toEqual(['a', 'b', 'c']);
    expect(new Set(sampleOf(['a', 'b', 'c'], 2, seeded(1))).size).toBe(2);
  });
});
