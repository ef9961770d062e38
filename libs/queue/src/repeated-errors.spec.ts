import { beforeEach, describe, expect, it } from '@jest/globals';
import { RepeatedErrors } from './repeated-errors.js';

describe('RepeatedErrors', () => {
  let now: number;
  let repeated: RepeatedErrors;

  beforeEach(() => {
    now = 0;
    repeated = new RepeatedErrors({ now: () => new Date(0), monotonic: () => now });
  });

  it('takes the same message for news once a minute', () => {
    const news = [0, 1, 59_999, 60_000, 60_001].map((at) => {
      now = at;
      return repeated.isNews(new Error('out of memory'));
    });

    expect(news).toEqual([true, false, false, true, false]);
  });

  it('keeps messages apart that alternate', () => {
    const news = ['a', 'b', 'a', 'b', 'c'].map((message) => repeated.isNews(new Error(message)));

    expect(news).toEqual([true, true, false, false, true]);
  });

  it('forgets rather than grows', () => {
    for (let index = 0; index < 64; index += 1) repeated.isNews(new Error(`error ${index}`));

    expect(repeated.isNews(new Error('one more'))).toBe(true);
    expect(repeated.isNews(new Error('error 0'))).toBe(true);
  });
});
