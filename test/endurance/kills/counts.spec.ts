import { describe, expect, it } from '@jest/globals';
import { countProblems, type TargetCounts } from './counts.js';

const undisturbed: TargetCounts = { target: '0 prod team/app', attempts: 1, copied: 70, mounted: 30, skipped: 0, takeovers: 0, retries: 0 };
const takenOver = { attempts: 2, takeovers: 1 };

describe('countProblems', () => {
  it.each<[string, Partial<TargetCounts>]>([
    ['the same numbers', {}],
    ['a lease that was taken over before an attempt began', { takeovers: 1 }],
    ['an attempt that died and told of nothing', { ...takenOver, copied: 20, mounted: 0, skipped: 80 }],
    ['an attempt that died after it told of everything', { ...takenOver, skipped: 100 }],
    ['an attempt that had nothing left to copy', takenOver],
    ['an attempt that ended with an error', { attempts: 2, retries: 1, copied: 20, mounted: 0, skipped: 80 }],
  ])('finds nothing wrong with %s', (_name, change) => {
    expect(countProblems([undisturbed], [{ ...undisturbed, ...change }])).toEqual([]);
  });

  it.each<[string, Partial<TargetCounts>, string]>([
    ['an attempt that nobody died over', { attempts: 2 }, 'attempts of 0 prod team/app: 2, and not 1 to 1 after 0 leases were taken over'],
    ['an attempt that was given back twice', { attempts: 0, takeovers: 1 }, 'attempts of 0 prod team/app: 0, and not 1 to 2'],
    ['bytes that were copied twice', { ...takenOver, copied: 140 }, 'bytes copied of 0 prod team/app: 140, and not 0 to 70'],
    [
      'bytes that were mounted where they were copied',
      { copied: 0, mounted: 100 },
      'bytes mounted of 0 prod team/app: 100, and not 30 to 30',
    ],
    ['bytes that nobody told of', { ...takenOver, copied: 20, mounted: 0 }, 'bytes in all of 0 prod team/app: 20'],
    ['bytes that were told of too often', { ...takenOver, skipped: 150 }, 'bytes in all of 0 prod team/app: 250, and not 100 to 200'],
  ])('tells of %s', (_name, change, problem) => {
    expect(countProblems([undisturbed], [{ ...undisturbed, ...change }])).toContainEqual(expect.stringContaining(problem));
  });

  it('leaves out what is another number each time', () => {
    expect(countProblems([undisturbed], [{ ...undisturbed, copied: 0, attempts: 7 }], ['bytes'])).toEqual([
      expect.stringContaining('attempts of 0 prod team/app: 7'),
    ]);
  });
});
