import { describe, expect, it } from '@jest/globals';
import { answersWithin } from './answers-within.js';
import { gate } from './gate.spec-helper.js';

const minute = 60_000;

describe('answersWithin', () => {
  it.each<[string, Promise<unknown>, boolean]>([
    ['work that is done', Promise.resolve(), true],
    ['work that fails', Promise.reject(new Error('away')), false],
  ])('tells of %s without waiting for the time to pass', async (_what, work, expected) => {
    expect(await answersWithin(minute, work)).toBe(expected);
  });

  it('tells of work that does not answer, and lets a late failure be nobody’s', async () => {
    const silent = gate();

    expect(await answersWithin(1, silent.passed)).toBe(false);
    silent.break(new Error('too late'));
    await expect(silent.passed).rejects.toThrow('too late');
  });
});
