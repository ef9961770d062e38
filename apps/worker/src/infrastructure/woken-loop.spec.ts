import { describe, expect, it } from '@jest/globals';
import { type Gate, gate, settled } from './gate.spec-helper.js';
import { logged } from './logged.spec-helper.js';
import { WokenLoop } from './woken-loop.js';

const failed = 'background work failed and will be tried again';
const goesOn = 'background work goes on';

/** Work whose every round waits for the spec. */
class SteppedWork {
  readonly rounds: Gate<number>[] = [];
  readonly log = logged();
  readonly loop = new WokenLoop(() => {
    const round = gate<number>();
    this.rounds.push(round);
    return round.passed;
  }, this.log.logger);

  async end(round: number, did: number): Promise<void> {
    this.rounds[round]?.open(did);
    await settled();
  }

  async fail(round: number): Promise<void> {
    this.rounds[round]?.break(new Error('the database is away'));
    await settled();
  }
}

describe('WokenLoop', () => {
  it('does nothing until it is woken, and then one round', async () => {
    const work = new SteppedWork();
    await settled();
    expect(work.rounds).toHaveLength(0);

    work.loop.wake();
    await work.end(0, 0);

    expect(work.rounds).toHaveLength(1);
  });

  it('repeats the round until nothing was left', async () => {
    const work = new SteppedWork();

    work.loop.wake();
    await work.end(0, 100);
    await work.end(1, 3);
    await work.end(2, 0);

    expect(work.rounds).toHaveLength(3);
  });

  it('makes one more round of any number of wakes during a round, and never two at once', async () => {
    const work = new SteppedWork();

    work.loop.wake();
    work.loop.wake();
    work.loop.wake();
    await settled();
    expect(work.rounds).toHaveLength(1);
    await work.end(0, 0);
    expect(work.rounds).toHaveLength(2);
    await work.end(1, 0);

    expect(work.rounds).toHaveLength(2);
  });

  it('leaves a failure to the next wake, says it once, and says when the work goes on', async () => {
    const work = new SteppedWork();

    work.loop.wake();
    await work.fail(0);
    expect(work.rounds).toHaveLength(1);
    work.loop.wake();
    await work.fail(1);
    work.loop.wake();
    await work.end(2, 0);
    work.loop.wake();
    await work.end(3, 0);

    expect(work.log.saying(failed)).toMatchObject([{ level: 'error', err: { message: 'the database is away' } }]);
    expect(work.log.saying(goesOn)).toHaveLength(1);
  });

  it('is woken again after work that throws before it waits for anything', async () => {
    const log = logged();
    let calls = 0;
    const loop = new WokenLoop(() => {
      calls += 1;
      throw new Error('at once');
    }, log.logger);

    loop.wake();
    await settled();
    loop.wake();
    await settled();

    expect(calls).toBe(2);
  });

  it('waits for the round under way when it is closed, and begins no other', async () => {
    const work = new SteppedWork();
    let isClosed = false;

    work.loop.wake();
    work.loop.wake();
    const closing = work.loop.close().then(() => (isClosed = true));
    await settled();
    expect(isClosed).toBe(false);
    await work.end(0, 100);
    await closing;
    work.loop.wake();
    await settled();

    expect(work.rounds).toHaveLength(1);
  });

  it('closes without a word when the last round fails or none was begun', async () => {
    const work = new SteppedWork();
    await expect(new SteppedWork().loop.close()).resolves.toBeUndefined();

    work.loop.wake();
    const closing = work.loop.close();
    await work.fail(0);

    await expect(closing).resolves.toBeUndefined();
  });
});
