import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { systemClock } from '@waybill/kernel';
import { inTurns } from './in-turns.js';

/** Steps of some milliseconds each. */
function* busy(steps: number): Generator<undefined, string> {
  for (let step = 0; step < steps; step += 1) {
    for (const until = systemClock.monotonic() + 5; systemClock.monotonic() < until;);
    yield;
  }
  return 'done';
}

describe('work in turns', () => {
  it('lets others have theirs', async () => {
    const over = new AbortController();
    let turns = 0;
    const others = (async () => {
      for (; !over.signal.aborted; turns += 1) await setImmediate();
    })();

    expect(await inTurns(busy(40))).toBe('done');
    over.abort();
    await others;

    expect(turns).toBeGreaterThan(2);
  });

  it('breaks off when it is told to', async () => {
    const shutdown = new AbortController();
    const working = inTurns(busy(10_000), shutdown.signal);
    shutdown.abort(new Error('the worker is stopped'));

    await expect(working).rejects.toThrow('the worker is stopped');
  });

  it('throws what a step throws', async () => {
    function* broken(): Generator<undefined, never> {
      yield;
      throw new TypeError('it cannot be planned');
    }

    await expect(inTurns(broken())).rejects.toThrow('it cannot be planned');
  });
});
