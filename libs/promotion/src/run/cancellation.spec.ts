import { describe, expect, it } from '@jest/globals';
import type { Tag } from '@waybill/oci-model';
import { cancelled } from '../promotion-error.js';
import { endCancelledRun } from './end-cancelled-run.js';
import { FakeRun, itemRun, oneTag, rootManifest, tagRun, targetRun, trouble, untilAborted } from './fake-run.spec-helper.js';
import type { ContentCopier, RunJournal } from './ports.js';
import type { RunPorts } from './run-context.js';
import { runLocation } from './run-location.js';
import type { LocationRun } from './run.js';

const idle = new AbortController().signal;
const latest = 'latest' as Tag;
const twoTags = [tagRun(), tagRun({ tag: latest })];

function locationRun(...items: LocationRun['items']): LocationRun {
  return { promotionId: 'promotion', location: 'eu', items };
}

/** A run whose promotion is cancelled when the spec says so. */
function cancellable(replaced: { readonly copier?: Partial<ContentCopier>; readonly journal?: Partial<RunJournal> }) {
  const stop = new AbortController();
  const fake = new FakeRun(replaced);
  const ports: RunPorts = { ...fake.ports, cancellation: stop.signal };
  return { fake, ports, cancel: () => stop.abort(cancelled()) };
}

describe('a run whose promotion is cancelled', () => {
  it('begins nothing when that was before it', async () => {
    const { fake, ports, cancel } = cancellable({});
    cancel();

    await expect(runLocation(locationRun(itemRun([targetRun('prod')])), ports, idle)).rejects.toMatchObject({ code: 'cancelled' });

    expect(fake.log).toEqual([]);
  });

  it('breaks the copy off, begins no other item, and leaves the targets to be ended', async () => {
    const begun = cancellable({
      copier: {
        copy: (_item, _targets, { signal }) => {
          begun.cancel();
          return untilAborted(signal);
        },
      },
    });
    const items = [itemRun([targetRun('one')], { id: 'first' }), itemRun([targetRun('two')], { id: 'second' })];

    await expect(runLocation(locationRun(...items), begun.ports, idle)).rejects.toMatchObject({ code: 'cancelled' });

    expect(begun.fake.logOf('copy')).toEqual(['copy first one']);
    expect(begun.fake.logOf('finish', 'retryLater')).toEqual([]);
  });

  it('finishes the tag that it is writing, and writes no further one', async () => {
    const run = cancellable({
      copier: {
        putTargetTag: (item, { id }, tag, signal) => {
          run.cancel();
          signal.throwIfAborted();
          run.fake.tags.set(`${id}:${tag}`, item.digest);
          return Promise.resolve();
        },
      },
    });

    await expect(runLocation(locationRun(itemRun([targetRun('prod', { tags: twoTags })])), run.ports, idle)).rejects.toMatchObject({
      code: 'cancelled',
    });

    expect(run.fake.tags).toEqual(new Map([[`prod:${oneTag}`, rootManifest.digest]]));
    expect(run.fake.logOf('settleTag', 'finish')).toEqual([`settleTag prod ${oneTag}`]);
  });

  it('ends the target whose last tag it was writing as arrived', async () => {
    const run = cancellable({
      journal: {
        intendTag: () => {
          run.cancel();
          return Promise.resolve();
        },
      },
    });

    await runLocation(locationRun(itemRun([targetRun('prod')])), run.ports, idle);

    expect(run.fake.outcomes()).toEqual({ prod: 'copied' });
  });

  it('writes no tag that is only being looked at, and gives its lease up', async () => {
    const run = cancellable({
      copier: {
        resolveTargetTag: (_target, _tag, signal) => {
          run.cancel();
          return untilAborted(signal);
        },
      },
    });

    await expect(runLocation(locationRun(itemRun([targetRun('prod')])), run.ports, idle)).rejects.toMatchObject({ code: 'cancelled' });

    expect(run.fake.logOf('intendTag', 'putTargetTag', 'releaseTag')).toEqual([`releaseTag prod ${oneTag}`]);
  });

  it.each<[string, Partial<RunJournal>]>([
    ['before it takes the lease of a tag', { acquireTag: () => Promise.resolve({ turn: 'cancelled' }) }],
    ['before it records a tag', { intendTag: () => Promise.reject(cancelled()) }],
  ])('learns of it from the journal %s, where no notification came', async (_when, journal) => {
    const fake = new FakeRun({ journal });

    await expect(runLocation(locationRun(itemRun([targetRun('prod')])), fake.ports, idle)).rejects.toMatchObject({ code: 'cancelled' });

    expect(fake.tags.size).toBe(0);
    expect(fake.logOf('finish', 'retryLater')).toEqual([]);
  });
});

describe('endCancelledRun', () => {
  const open = { id: 'effect', kind: 'tag', tag: oneTag, digest: rootManifest.digest } as const;

  it('ends every target as cancelled, and sends nothing', async () => {
    const fake = new FakeRun();

    await endCancelledRun(locationRun(itemRun([targetRun('one'), targetRun('two')]), itemRun([targetRun('three')])), fake.ports, idle);

    expect(fake.outcomes()).toEqual({ one: 'cancelled', two: 'cancelled', three: 'cancelled' });
    expect(fake.endings.get('one')?.error).toMatchObject({ code: 'cancelled', retryable: false });
    expect(fake.logOf('copy', 'putTargetTag', 'acquireTag')).toEqual([]);
  });

  it('settles what was begun from what the target holds', async () => {
    const fake = new FakeRun({ journal: { unsettledEffects: () => Promise.resolve([open]) } });
    fake.tags.set(`prod:${oneTag}`, rootManifest.digest);

    await endCancelledRun(locationRun(itemRun([targetRun('prod')])), fake.ports, idle);

    expect(fake.endings.get('prod')?.readBack).toEqual([{ effectId: 'effect', found: rootManifest.digest }]);
  });

  it('ends a target that does not answer, and leaves what was begun there open', async () => {
    const fake = new FakeRun({
      journal: { unsettledEffects: () => Promise.resolve([open]) },
      copier: { resolveTargetTag: () => Promise.reject(trouble()) },
    });

    await endCancelledRun(locationRun(itemRun([targetRun('prod')])), fake.ports, idle);

    expect(fake.outcomes()).toEqual({ prod: 'cancelled' });
    expect(fake.endings.get('prod')?.readBack).toBeUndefined();
  });

  it('looks at the targets although the cancellation is given', async () => {
    const { fake, ports, cancel } = cancellable({ journal: { unsettledEffects: () => Promise.resolve([open]) } });
    cancel();

    await endCancelledRun(locationRun(itemRun([targetRun('prod')])), ports, idle);

    expect(fake.endings.get('prod')?.readBack).toEqual([{ effectId: 'effect', found: undefined }]);
  });

  it('is over when the caller stops it', async () => {
    const fake = new FakeRun();

    await expect(endCancelledRun(locationRun(itemRun([targetRun('prod')])), fake.ports, AbortSignal.abort('stop'))).rejects.toBe('stop');

    expect(fake.log).toEqual([]);
  });

  it('rejects with what the journal says after it has tried all targets', async () => {
    const down = new Error('the database does not answer');
    const fake = new FakeRun({
      journal: { finish: ({ id }) => (id === 'one' ? Promise.reject(down) : Promise.resolve()) },
    });

    await expect(endCancelledRun(locationRun(itemRun([targetRun('one'), targetRun('two')])), fake.ports, idle)).rejects.toBe(down);

    expect(fake.logOf('finish')).toEqual(['finish one', 'finish two']);
  });
});
