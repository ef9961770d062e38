import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { HoldUp, keptUp, type Step } from './hold-up.js';

const mebibyte = 1024 * 1024;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
});

afterEach(() => {
  jest.useRealTimers();
});

describe('HoldUp', () => {
  it('leaves a target behind that kept others waiting for its allowance, all in all', () => {
    const holdUp = new HoldUp(1_000);

    for (let turn = 0; turn < 2; turn += 1) {
      const end = holdUp.begin();
      jest.advanceTimersByTime(499);
      end();
      jest.advanceTimersByTime(60_000);
    }
    expect(holdUp.isLeftBehind).toBe(false);
    holdUp.begin();
    jest.advanceTimersByTime(3);

    expect(holdUp.isLeftBehind).toBe(true);
  });

  it('counts those that wait at the same time once', () => {
    const holdUp = new HoldUp(1_000);
    const ends = [holdUp.begin(), holdUp.begin(), holdUp.begin()];

    jest.advanceTimersByTime(600);
    for (const end of ends) end();
    for (const end of ends) end();
    holdUp.begin();
    jest.advanceTimersByTime(300);

    expect(holdUp.isLeftBehind).toBe(false);
  });

  it('gives a second back for each mebibyte taken, and no more than the allowance', () => {
    const holdUp = new HoldUp(1_000);

    holdUp.took(10 * mebibyte);
    holdUp.begin();
    for (let second = 0; second < 60; second += 1) {
      jest.advanceTimersByTime(900);
      holdUp.took(mebibyte);
    }
    expect(holdUp.isLeftBehind).toBe(false);
    jest.advanceTimersByTime(1_001);

    expect(holdUp.isLeftBehind).toBe(true);
  });

  it('counts nothing while nobody waits', () => {
    const holdUp = new HoldUp(1);

    jest.advanceTimersByTime(60_000);

    expect(holdUp.isLeftBehind).toBe(false);
  });
});

describe('keptUp', () => {
  function step(holdUp: HoldUp | undefined): Step<string> & { readonly end: (result: string) => void } {
    let end = (_: string): void => undefined;
    const work = new Promise<string>((resolve) => {
      end = resolve;
    });
    return { holdUp, work, end };
  }

  function turn(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  it('gives the results of all that end', async () => {
    const steps = [step(new HoldUp(10)), step(undefined)];
    const kept = keptUp(steps, () => true);

    for (const [index, each] of steps.entries()) each.end(`result ${index}`);

    expect([...(await kept).values()]).toEqual(['result 0', 'result 1']);
  });

  it('waits for nobody longer than it may be waited for', async () => {
    const [slow, fast] = [step(new HoldUp(10)), step(new HoldUp(10))];
    const kept = keptUp([slow, fast], () => true);
    fast.end('done');
    await turn();

    jest.advanceTimersByTime(10);

    expect(await kept).toEqual(new Map([[fast, 'done']]));
    expect(slow.holdUp?.isLeftBehind).toBe(true);
  });

  it.each([
    ['when all are at work', () => true, undefined],
    ['when what has ended does not wait', () => false, 'failed'],
  ])('lets nobody be waited for %s', async (_name, waits, ended) => {
    const [slow, other] = [step(new HoldUp(10)), step(new HoldUp(10))];
    const kept = keptUp([slow, other], waits);
    if (ended !== undefined) other.end(ended);
    await turn();

    jest.advanceTimersByTime(60_000);
    expect(slow.holdUp?.isLeftBehind).toBe(false);
    slow.end('done');
    other.end('done');

    expect((await kept).size).toBe(2);
  });

  it('counts from the beginning when somebody waits already', async () => {
    const slow = step(new HoldUp(10));
    const kept = keptUp([slow], () => true, true);

    jest.advanceTimersByTime(10);

    expect((await kept).size).toBe(0);
  });

  it('does not wait for whoever was left behind before', async () => {
    const late = new HoldUp(1);
    late.begin();
    jest.advanceTimersByTime(1);

    expect((await keptUp([step(late)], () => true)).size).toBe(0);
  });

  it('leaves nothing of any wait behind: a large image has as many as it has chunks', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const heap = (): number => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    const [holdUp, chunks] = [new HoldUp(1_000), 50_000];
    const before = heap();

    for (let chunk = 0; chunk < chunks; chunk += 1) await keptUp([{ holdUp, work: Promise.resolve() }], () => true, true);

    expect((heap() - before) / chunks).toBeLessThan(100);
    expect(holdUp.isLeftBehind).toBe(false);
  });
});
