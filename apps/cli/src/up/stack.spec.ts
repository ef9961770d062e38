import { describe, expect, it } from '@jest/globals';
import { Stack } from './stack.js';

describe('Stack', () => {
  it('undoes everything, last first, even after a failure, and tells the first', async () => {
    const undone: string[] = [];
    const stack = new Stack();
    for (const name of ['database', 'api', 'worker']) {
      stack.push(async () => {
        undone.push(name);
        if (name !== 'database') throw new Error(`${name} does not end`);
      });
    }

    await expect(stack.unwind()).rejects.toThrow('worker does not end');

    expect(undone).toEqual(['worker', 'api', 'database']);
  });

  it('undoes once however often it is asked', async () => {
    let count = 0;
    const stack = new Stack();
    stack.push(async () => void (count += 1));

    await Promise.all([stack.unwind(), stack.unwind()]);

    expect(count).toBe(1);
    expect(stack.isEmpty).toBe(true);
  });
});
