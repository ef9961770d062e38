import { describe, expect, it, jest } from '@jest/globals';
import path from 'node:path';
import { readStamp, unlessStamped } from './stamp.mjs';
import { temporaryFolder } from './temporary-folder.js';

const doNothing = () => Promise.resolve();

describe('unlessStamped', () => {
  it('works once for a value, and again for another', async () => {
    const file = path.join(temporaryFolder(), 'deep/stamp');
    const work = jest.fn(doNothing);

    const runs = [];
    for (const expected of ['one', 'one', 'two']) runs.push(await unlessStamped(file, { expected, work }));

    expect(runs).toEqual([true, false, true]);
    expect(work).toHaveBeenCalledTimes(2);
  });

  it('works again when the results are gone', async () => {
    const file = path.join(temporaryFolder(), 'stamp');
    await unlessStamped(file, { expected: 'one', work: doNothing });

    expect(await unlessStamped(file, { expected: 'one', isIntact: () => false, work: doNothing })).toBe(true);
  });

  it('keeps no stamp of work that failed, not even the one from before', async () => {
    const file = path.join(temporaryFolder(), 'stamp');
    await unlessStamped(file, { expected: 'one', work: doNothing });
    const failing = unlessStamped(file, { expected: 'two', work: () => Promise.reject(new Error('no')) });

    await expect(failing).rejects.toThrow('no');
    expect(readStamp(file)).toBeUndefined();
    expect(await unlessStamped(file, { expected: 'one', work: doNothing })).toBe(true);
  });

  it('writes the value that holds after the work', async () => {
    const file = path.join(temporaryFolder(), 'stamp');

    await unlessStamped(file, { expected: 'before', work: doNothing, after: () => 'after' });

    expect(readStamp(file)).toBe('after');
  });
});
