import { describe, expect, it } from '@jest/globals';
import { ContentError } from '@waybill/oci-model';
import { PromotionError } from '../promotion-error.js';
import { copied, digestNamed, FakeRun, itemRun, rootManifest, targetRun, tellingAll, untilAborted } from './fake-run.spec-helper.js';
import type { ContentCopier, RunJournal } from './ports.js';
import { runItem } from './run-item.js';

const leaseLost = new PromotionError('another worker took over', { code: 'lease-lost', operation: 'test' });
const databaseDown = new Error('the database does not answer');
const two = itemRun([targetRun('one'), targetRun('two')]);
const fails = () => Promise.reject(leaseLost);

/** Nothing may be said of a target that a run left as it was. */
function expectNothingSettled(fake: FakeRun): void {
  expect(fake.logOf('finish', 'retryLater')).toEqual([]);
}

describe('runItem when its lease is lost', () => {
  const journalMethods = [
    'beginAttempt',
    'intendManifest',
    'recordCopy',
    'settleContent',
    'advance',
    'readinessToTag',
    'acquireTag',
    'intendTag',
    'settleTag',
  ] as const satisfies readonly (keyof RunJournal)[];

  it.each(journalMethods)('ends with it and settles nothing when %s says so', async (method) => {
    const fake = new FakeRun({ journal: { [method]: fails } });

    await expect(runItem(two, fake.ports, new AbortController().signal)).rejects.toBe(leaseLost);

    expectNothingSettled(fake);
  });

  it('ends with it when a move of the source tag cannot be recorded', async () => {
    const fake = new FakeRun({ journal: { recordSourceMove: fails } });
    fake.sourceTag = digestNamed('a newer build');

    await expect(runItem(two, fake.ports, new AbortController().signal)).rejects.toBe(leaseLost);
  });

  it.each(['finish', 'retryLater'] as const)('ends with it when %s says so', async (method) => {
    const error = new ContentError('down', { code: 'unavailable', operation: 'test', retryable: method === 'retryLater' });
    const fake = new FakeRun({ copier: { copy: () => Promise.reject(error) }, journal: { [method]: fails } });

    await expect(runItem(two, fake.ports, new AbortController().signal)).rejects.toBe(leaseLost);
  });

  it('stops the copy at once, and believes the journal rather than what the copier makes of it', async () => {
    const hookFailed = new ContentError('a hook failed', { code: 'protocol', operation: 'test', retryable: true });
    const fake = new FakeRun({
      copier: {
        copy: async (_item, _targets, { beforeManifest, onSettled, signal }) => {
          await beforeManifest('one', rootManifest).catch(() => undefined);
          await untilAborted(signal).catch(() => undefined);
          const failed = { outcome: 'failed', error: hookFailed, bytesCopied: 0, bytesMounted: 0, bytesSkipped: 0 } as const;
          onSettled('one', failed);
          onSettled('two', failed);
        },
      },
      journal: { intendManifest: fails },
    });

    await expect(runItem(two, fake.ports, new AbortController().signal)).rejects.toBe(leaseLost);

    expectNothingSettled(fake);
  });

  it('stops what the other targets are doing, and waits until they have stopped', async () => {
    let stopped = false;
    const fake = new FakeRun({
      copier: {
        verify: (_item, { id }, _present, signal) =>
          id === 'one'
            ? fails()
            : untilAborted(signal).finally(() => {
                stopped = true;
              }),
      },
    });

    await expect(runItem(two, fake.ports, new AbortController().signal)).rejects.toBe(leaseLost);

    expect(stopped).toBe(true);
    expectNothingSettled(fake);
  });

  it('tags no replica after its prod lost the lease', async () => {
    const item = itemRun([targetRun('prod'), targetRun('replica', { follows: 'prod' })]);
    const fake = new FakeRun({
      journal: { settleTag: ({ id }) => (id === 'prod' ? fails() : Promise.resolve()) },
    });

    await expect(runItem(item, fake.ports, new AbortController().signal)).rejects.toBe(leaseLost);

    expect(fake.logOf('acquireTag')).toEqual(['acquireTag prod 1.0.0']);
    expectNothingSettled(fake);
  });
});

describe('runItem when the caller stops it', () => {
  const reason = new Error('the worker shuts down');

  it('begins no attempt when the signal was given before', async () => {
    const fake = new FakeRun();

    await expect(runItem(two, fake.ports, AbortSignal.abort(reason))).rejects.toBe(reason);

    expect(fake.log).toEqual([]);
  });

  const hanging = (stop: AbortController, signal: AbortSignal): Promise<never> => {
    queueMicrotask(() => stop.abort(reason));
    return untilAborted(signal);
  };
  const moments: [string, (stop: AbortController) => Partial<ContentCopier>][] = [
    ['copy', (stop) => ({ copy: (_item, _targets, { signal }) => hanging(stop, signal) })],
    ['verify', (stop) => ({ verify: (_item, _target, _present, signal) => hanging(stop, signal) })],
    ['resolveTargetTag', (stop) => ({ resolveTargetTag: (_target, _tag, signal) => hanging(stop, signal) })],
    ['putTargetTag', (stop) => ({ putTargetTag: (_item, _target, _tag, signal) => hanging(stop, signal) })],
  ];

  it.each(moments)('records nothing as failed when it comes during %s', async (_name, copier) => {
    const stop = new AbortController();
    const fake = new FakeRun({ copier: copier(stop) });

    await expect(runItem(two, fake.ports, stop.signal)).rejects.toBe(reason);

    expectNothingSettled(fake);
  });

  it('records nothing as failed when the copier reports cancelled targets', async () => {
    const stop = new AbortController();
    const error = new ContentError('cancelled', { code: 'aborted', operation: 'copy' });
    const fake = new FakeRun({
      copier: {
        copy: (...args) => {
          stop.abort(reason);
          return tellingAll(() => ({ outcome: 'cancelled', error, bytesCopied: 3, bytesMounted: 0, bytesSkipped: 0 }))(...args);
        },
      },
    });

    await expect(runItem(two, fake.ports, stop.signal)).rejects.toBe(reason);

    expectNothingSettled(fake);
  });
});

describe('runItem when the journal is in trouble', () => {
  it('keeps a target for later whose manifest could not be recorded, whatever the copier calls it', async () => {
    const error = new ContentError('a hook failed', { code: 'protocol', operation: 'test' });
    const kept: unknown[] = [];
    const fake = new FakeRun({
      copier: {
        copy: async (_item, _targets, { beforeManifest, onSettled }) => {
          await beforeManifest('one', rootManifest).catch(() => undefined);
          onSettled('one', { outcome: 'failed', error, bytesCopied: 7, bytesMounted: 0, bytesSkipped: 0 });
          onSettled('two', copied());
        },
      },
      journal: {
        intendManifest: () => Promise.reject(databaseDown),
        retryLater: (target, failure, _delay, bytes) =>
          Promise.resolve(void kept.push([target.id, failure.code, failure.cause, bytes.bytesCopied])),
      },
    });

    await runItem(two, fake.ports, new AbortController().signal);

    expect(kept).toEqual([['one', 'unexpected', databaseDown, 7]]);
    expect(fake.outcomes()).toEqual({ two: 'copied' });
  });

  it('says of each target what its own record says when the whole copy fails', async () => {
    const fake = new FakeRun({
      copier: {
        copy: async (_item, _targets, { beforeManifest }) => {
          await beforeManifest('one', rootManifest).catch(() => undefined);
          throw new ContentError('the source is gone', { code: 'not-found', operation: 'test' });
        },
      },
      journal: { intendManifest: () => Promise.reject(databaseDown) },
    });

    await runItem(two, fake.ports, new AbortController().signal);

    expect(Object.fromEntries(fake.kept)).toMatchObject({ one: { code: 'unexpected' } });
    expect(fake.endings.get('two')?.error).toMatchObject({ code: 'not-found' });
  });

  it('rejects when it can record nothing, after the other targets have ended', async () => {
    const fake = new FakeRun({
      copier: { verify: (_item, { id }) => (id === 'one' ? Promise.reject(databaseDown) : Promise.resolve({ manifests: [] })) },
      journal: { retryLater: () => Promise.reject(databaseDown) },
    });

    await expect(runItem(two, fake.ports, new AbortController().signal)).rejects.toBe(databaseDown);

    expect(fake.outcomes()).toEqual({ two: 'copied' });
  });

  it('sends no manifest to a target that is none of the run', async () => {
    const fake = new FakeRun({
      copier: {
        copy: async (_item, _targets, { beforeManifest }) => {
          await beforeManifest('stranger', rootManifest);
        },
      },
    });

    await runItem(two, fake.ports, new AbortController().signal);

    expect(fake.logOf('intendManifest')).toEqual([]);
    expect(fake.endings.get('one')).toMatchObject({ outcome: 'failed', error: { code: 'unexpected' } });
  });
});
