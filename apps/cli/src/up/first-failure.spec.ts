import { describe, expect, it } from '@jest/globals';
import { FirstFailure } from './first-failure.js';

/** Ends with the signal's reason, as everything does that waits. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('cancelled'))));
}

describe('FirstFailure', () => {
  it('gives all results', async () => {
    const failure = new FirstFailure(new AbortController().signal);

    expect(await failure.all([Promise.resolve(1), Promise.resolve('two')])).toEqual([1, 'two']);
    expect(failure.signal.aborted).toBe(false);
  });

  it('ends the others at the first failure, waits for them, and keeps its reason', async () => {
    const failure = new FirstFailure(new AbortController().signal);
    const broken = new Error('the disk is full');
    let isOtherEnded = false;
    const other = untilAborted(failure.signal).finally(() => (isOtherEnded = true));

    const error: unknown = await failure.all([other, Promise.reject(broken)]).catch((reason: unknown) => reason);

    expect(isOtherEnded).toBe(true);
    expect(error).toBe(broken);
    expect(failure.reasonOf(error)).toBe(broken);
  });

  it('takes a part that died for the reason of what failed after it', () => {
    const failure = new FirstFailure(new AbortController().signal);
    const died = new Error('the api ended by itself');

    failure.report(died);
    failure.report(new Error('the worker ended by itself'));

    expect(failure.signal.aborted).toBe(true);
    expect(failure.reasonOf(new Error('no answer'))).toBe(died);
  });

  it('takes the wish to stop for the reason of what fails then', () => {
    const asked = new AbortController();
    const failure = new FirstFailure(asked.signal);
    const wish = new Error('stopped by SIGINT');

    asked.abort(wish);
    failure.report(new Error('the api ended by itself'));

    expect(failure.reasonOf(new Error('cancelled'))).toBe(wish);
  });
});
