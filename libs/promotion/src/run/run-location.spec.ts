import { describe, expect, it } from '@jest/globals';
import type { WaybillError } from '@waybill/kernel';
import { PromotionError } from '../promotion-error.js';
import { FakeRun, itemRun, rootManifest, targetRun, untilAborted } from './fake-run.spec-helper.js';
import type { EffectReadBack, RunJournal } from './ports.js';
import { runLocation } from './run-location.js';
import type { LocationRun } from './run.js';

const signal = new AbortController().signal;
const leaseLost = new PromotionError('another worker took over', { code: 'lease-lost', operation: 'test' });
const databaseDown = new Error('the database does not answer');
const first = itemRun([targetRun('one')], { id: 'first' });
const second = itemRun([targetRun('two')], { id: 'second' });

function locationRun(facts: Partial<LocationRun> = {}): LocationRun {
  return { promotionId: 'promotion', location: 'eu', items: [first, second], ...facts };
}

describe('runLocation', () => {
  it('brings all items to their targets', async () => {
    const fake = new FakeRun();

    await runLocation(locationRun(), fake.ports, signal);

    expect(fake.outcomes()).toEqual({ one: 'copied', two: 'copied' });
  });

  const failsFor = (id: string, error: Error): Partial<RunJournal> => ({
    beginAttempt: ([target]) => (target?.id === id ? Promise.reject(error) : Promise.resolve(new Set<string>())),
  });

  it('brings the others where one breaks off, and then rejects as that did', async () => {
    const fake = new FakeRun({ journal: failsFor('one', databaseDown) });

    await expect(runLocation(locationRun(), fake.ports, signal)).rejects.toBe(databaseDown);

    expect(fake.outcomes()).toEqual({ two: 'copied' });
  });

  it('stops at once when the lease is lost', async () => {
    const fake = new FakeRun({ journal: failsFor('one', leaseLost) });

    await expect(runLocation(locationRun(), fake.ports, signal)).rejects.toBe(leaseLost);

    expect(fake.logOf('beginAttempt')).toEqual(['beginAttempt one']);
  });

  it('stops at once when the caller says so', async () => {
    const stop = new AbortController();
    const reason = new Error('the worker shuts down');
    const fake = new FakeRun({
      journal: {
        beginAttempt: () => {
          stop.abort(reason);
          return Promise.reject(databaseDown);
        },
      },
    });

    await expect(runLocation(locationRun(), fake.ports, stop.signal)).rejects.toBe(databaseDown);

    expect(fake.logOf('beginAttempt')).toEqual(['beginAttempt one']);
  });
});

describe('runLocation of a promotion whose path was removed', () => {
  const removed = locationRun({ removedPath: 'release' });

  it('rejects the promotion and sends nothing', async () => {
    const rejections: [WaybillError, readonly EffectReadBack[]][] = [];
    const fake = new FakeRun({
      journal: {
        unsettledEffects: ({ id }) => Promise.resolve([{ id: `effect of ${id}`, kind: 'manifest', digest: rootManifest.digest }]),
        reject: (...rejection) => Promise.resolve(rejections.push(rejection) > 0),
      },
    });

    await runLocation(removed, fake.ports, signal);

    expect(fake.logOf('beginAttempt', 'copy', 'finish')).toEqual([]);
    expect(rejections).toEqual([
      [
        expect.objectContaining({ code: 'path-removed', details: { path: 'release' } }),
        [
          { effectId: 'effect of one', found: undefined },
          { effectId: 'effect of two', found: undefined },
        ],
      ],
    ]);
  });

  it('asks all registries at once what they hold, and one that does not answer for nothing more', async () => {
    const prodIsThrough = new AbortController();
    const readBacks: (readonly EffectReadBack[])[] = [];
    const fake = new FakeRun({
      journal: {
        unsettledEffects: ({ id }) => Promise.resolve([{ id: `effect of ${id}`, kind: 'manifest', digest: rootManifest.digest }]),
        reject: (_reason, readBack) => Promise.resolve(readBacks.push(readBack) > 0),
      },
      copier: {
        holdsManifest: async ({ id, registry }) => {
          if (registry === 'silent') await untilAborted(prodIsThrough.signal);
          if (id === 'prod-2') prodIsThrough.abort();
          return true;
        },
      },
    });
    const at = (registry: string) => itemRun([targetRun(`${registry}-1`, { registry }), targetRun(`${registry}-2`, { registry })]);

    await runLocation({ ...removed, items: [at('silent'), at('prod')] }, fake.ports, signal);

    expect(fake.logOf('holdsManifest').sort()).toEqual(['prod-1', 'prod-2', 'silent-1'].map((id) => `holdsManifest ${id}`));
    expect(readBacks).toEqual([['prod-1', 'prod-2'].map((id) => ({ effectId: `effect of ${id}`, found: rootManifest.digest }))]);
  });

  it('goes on when something of it was tagged already', async () => {
    const fake = new FakeRun({ journal: { reject: () => Promise.resolve(false) } });

    await runLocation(removed, fake.ports, signal);

    expect(fake.outcomes()).toEqual({ one: 'copied', two: 'copied' });
  });

  it('decides nothing when the signal was given before', async () => {
    const fake = new FakeRun();

    await expect(runLocation(removed, fake.ports, AbortSignal.abort(databaseDown))).rejects.toBe(databaseDown);

    expect(fake.log).toEqual([]);
  });
});
