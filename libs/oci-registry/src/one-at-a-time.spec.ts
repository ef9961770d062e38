import { describe, expect, it } from '@jest/globals';
import { OneAtATime } from './one-at-a-time.js';

describe('OneAtATime', () => {
  it('lets work under one key follow one another, whatever became of it, and others go on', async () => {
    const order = new OneAtATime();
    const seen: string[] = [];
    const release: (() => void)[] = [];
    const held = new Promise<void>((resolve) => release.push(resolve));

    const first = order.run('a', async () => {
      await held;
      seen.push('first');
      throw new Error('first failed');
    });
    const second = order.run('a', () => Promise.resolve(seen.push('second')));
    await order.run('b', () => Promise.resolve(seen.push('other')));
    release[0]?.();

    await expect(first).rejects.toThrow('first failed');
    await second;
    expect(seen).toEqual(['other', 'first', 'second']);
  });

  it('gives what the work gives', async () => {
    expect(await new OneAtATime().run('a', () => Promise.resolve(7))).toBe(7);
  });
});
