import { describe, expect, it } from '@jest/globals';
import { settlesWithin, withDeadline } from './deadline.js';

const never = new Promise<never>(() => undefined);

describe('withDeadline', () => {
  it('gives the outcome that comes in time', async () => {
    await expect(withDeadline('try', 60_000, Promise.resolve('done'))).resolves.toBe('done');
    await expect(withDeadline('try', 60_000, Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  });

  it('says that the queue is unavailable otherwise', async () => {
    await expect(withDeadline('try', 1, never)).rejects.toMatchObject({
      code: 'queue-unavailable',
      operation: 'try',
      retryable: true,
      message: 'the queue did not answer within 1 ms',
    });
  });
});

describe('settlesWithin', () => {
  it.each([
    ['a success', Promise.resolve(), true],
    ['a failure', Promise.reject(new Error('broken')), true],
    ['what never ends', never, false],
  ])('tells of %s', async (_what, promise, settled) => {
    await expect(settlesWithin(promise, settled ? 60_000 : 1)).resolves.toBe(settled);
  });
});

describe('a failure that comes late', () => {
  it('is dropped', async () => {
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', onUnhandled);
    let fail: (error: Error) => void = () => undefined;
    const late = new Promise<void>((_resolve, reject) => {
      fail = reject;
    });

    await expect(withDeadline('try', 1, late)).rejects.toMatchObject({ code: 'queue-unavailable' });
    fail(new Error('late'));
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', onUnhandled);

    expect(unhandled).toEqual([]);
  });
});
