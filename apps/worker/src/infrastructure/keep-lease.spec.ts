import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { PromotionError } from '@waybill/promotion';
import { settled } from './gate.spec-helper.js';
import { keepLease } from './keep-lease.js';
import { SteppedTime } from './stepped-time.spec-helper.js';

const leaseMs = 3_000;
const third = leaseMs / 3;

const never = (): Promise<boolean> => new Promise(() => undefined);

/** A lease that is kept in stepped time; `answers` are given to its renewals one by one, the last one from then on. */
function kept(answers: readonly (() => Promise<boolean>)[], options: { readonly since?: number; readonly shutdown?: AbortSignal } = {}) {
  const time = new SteppedTime();
  const renewals: number[] = [];
  const renew = (): Promise<boolean> => {
    renewals.push(time.monotonic());
    const answer = answers[Math.min(renewals.length, answers.length) - 1];
    return answer === undefined ? Promise.resolve(true) : answer();
  };
  const { since = 0, shutdown = new AbortController().signal } = options;
  return { time, renewals, shutdown, keeper: keepLease({ renew, leaseMs, since, shutdown, time }) };
}

const yes = () => Promise.resolve(true);
const no = () => Promise.resolve(false);
const away = () => Promise.reject(new Error('the database is away'));

const lost = expect.objectContaining({ constructor: PromotionError, code: 'lease-lost' });

describe('keepLease', () => {
  it('renews three times within each lease for as long as it is kept', async () => {
    const { time, renewals, keeper } = kept([yes]);

    await time.pass(3 * leaseMs);

    expect(renewals).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => n * third));
    expect(keeper.signal.aborted).toBe(false);
  });

  it('ends the run as soon as the database says that the lease is lost', async () => {
    const { time, renewals, keeper } = kept([yes, no]);

    await time.pass(2 * third);

    expect(keeper.signal.reason).toEqual(lost);
    await time.pass(leaseMs);
    expect(renewals).toHaveLength(2);
  });

  it('loses nothing by a renewal that failed when the next one succeeds', async () => {
    const { time, keeper } = kept([away, yes, away, yes]);

    await time.pass(2 * leaseMs);

    expect(keeper.signal.aborted).toBe(false);
  });

  it('ends the run when no renewal succeeded for a whole lease, and not before', async () => {
    const { time, keeper } = kept([yes, away]);

    await time.pass(third + leaseMs - 1);
    expect(keeper.signal.aborted).toBe(false);
    await time.pass(1);

    expect(keeper.signal.reason).toEqual(lost);
  });

  it('ends the run at the end of the lease when a renewal is never answered', async () => {
    const { time, renewals, keeper } = kept([never]);

    await time.pass(leaseMs - 1);
    expect(keeper.signal.aborted).toBe(false);
    await time.pass(1);

    expect(renewals).toHaveLength(1);
    expect(keeper.signal.reason).toEqual(lost);
    expect(time.waiting).toBe(0);
  });

  it('counts from before the lease was claimed, however long that took', async () => {
    const { time, keeper } = kept([away], { since: -2 * third });

    await time.pass(third);

    expect(keeper.signal.reason).toEqual(lost);
  });

  it('asks for nothing any more after it slept longer than the lease', async () => {
    const { time, renewals, keeper } = kept([yes]);

    await time.sleep(leaseMs);

    expect(renewals).toEqual([]);
    expect(keeper.signal.reason).toEqual(lost);
  });

  it('ends the run with the reason of the shutdown', async () => {
    const shutdown = new AbortController();
    const { keeper } = kept([yes], { shutdown: shutdown.signal });
    const reason = new Error('the worker ends');

    shutdown.abort(reason);

    expect(keeper.signal.reason).toBe(reason);
    await keeper.stop();
  });

  it('begins with an ended run when the shutdown came first', async () => {
    const reason = new Error('the worker ends');
    const { keeper } = kept([yes], { shutdown: AbortSignal.abort(reason) });

    expect(keeper.signal.reason).toBe(reason);
    await keeper.stop();
  });

  it('leaves nothing behind when stopped: no timer, no listener, no renewal, no end of the run', async () => {
    const { time, renewals, shutdown, keeper } = kept([yes]);
    await time.pass(third);

    await keeper.stop();

    expect(time.waiting).toBe(0);
    expect(getEventListeners(shutdown, 'abort')).toEqual([]);
    await time.pass(2 * leaseMs);
    expect(renewals).toHaveLength(1);
    expect(keeper.signal.aborted).toBe(false);
  });

  it.each([
    ['is never answered', never],
    ['fails', away],
    ['says that the lease is lost, as it does once the run is closed', no],
  ])('is stopped while a renewal %s', async (_what, answer) => {
    const { time, keeper } = kept([answer]);
    await time.pass(third - 1);
    const passing = time.pass(1);
    const stopping = keeper.stop();

    await stopping;
    await passing;
    await settled();

    expect(keeper.signal.aborted).toBe(false);
    expect(time.waiting).toBe(0);
  });
});
