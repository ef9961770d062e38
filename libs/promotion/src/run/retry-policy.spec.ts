import { describe, expect, it } from '@jest/globals';
import { retryDelay } from './retry-policy.js';

const policy = { maxAttempts: 6, baseMs: 100, maxMs: 1_000 };

describe('retryDelay', () => {
  it.each([
    [1, 0, 100],
    [2, 0, 200],
    [3, 0, 400],
    [4, 0, 800],
    [5, 0, 1_000],
    [1, 250, 250],
    [1, 50, 100],
    [5, 60_000, 60_000],
  ])('after attempt %i, when the registry asked for %i ms, waits %i ms', (attempts, retryAfterMs, delay) => {
    expect(retryDelay(policy, attempts, retryAfterMs)).toBe(delay);
  });

  it('needs no wish of the registry', () => {
    expect(retryDelay(policy, 2)).toBe(200);
  });

  it.each([6, 7])('gives up after attempt %i', (attempts) => {
    expect(retryDelay(policy, attempts, 5)).toBeUndefined();
  });

  it('stays finite however many attempts are allowed', () => {
    expect(retryDelay({ ...policy, maxAttempts: 10_000 }, 5_000)).toBe(1_000);
  });
});
