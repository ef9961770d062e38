import { describe, expect, it } from '@jest/globals';
import { copied, copying, FakeRun, itemRun, oneTag, rootManifest, targetRun } from './fake-run.spec-helper.js';
import { runItem } from './run-item.js';

const signal = new AbortController().signal;

describe('runItem', () => {
  it('goes copy, verify, attest, tag, settle, and records each step before it is taken', async () => {
    const fake = new FakeRun();

    await runItem(itemRun([targetRun('prod')]), fake.ports, signal);

    expect(fake.log.filter((line) => !line.startsWith('resolveSourceTag'))).toEqual([
      'beginAttempt prod',
      'copy item prod',
      'intendManifest prod',
      'send prod',
      'recordCopy prod copied',
      'verify item prod',
      'settleContent prod',
      'advance prod tagging',
      'readinessToTag prod',
      'acquireTag prod 1.0.0',
      'resolveTargetTag prod 1.0.0',
      'intendTag prod 1.0.0',
      'putTargetTag item prod 1.0.0',
      'resolveTargetTag prod 1.0.0',
      'settleTag prod 1.0.0',
      'finish prod',
    ]);
    expect(fake.endings.get('prod')).toEqual({ outcome: 'copied', bytesCopied: 0, bytesMounted: 0, bytesSkipped: 0 });
  });

  it('copies to all targets in one call', async () => {
    const fake = new FakeRun();

    await runItem(itemRun([targetRun('one'), targetRun('two')]), fake.ports, signal);

    expect(fake.logOf('copy')).toEqual(['copy item one+two']);
    expect(fake.outcomes()).toEqual({ one: 'copied', two: 'copied' });
  });

  it.each(['copied', 'mounted', 'already-present'] as const)('records bytes and outcome of a copy that ended %s', async (outcome) => {
    const records: unknown[] = [];
    const fake = new FakeRun({
      copier: copying({ prod: copied(outcome) }),
      journal: { recordCopy: (_target, ...record) => Promise.resolve(void records.push(record)) },
    });

    await runItem(itemRun([targetRun('prod')]), fake.ports, signal);

    expect(records).toEqual([[outcome, { bytesCopied: 10, bytesMounted: 2, bytesSkipped: 1 }]]);
  });

  it.each([
    ['copied', 'tag is new', undefined, 'copied'],
    ['mounted', 'tag is new', undefined, 'mounted'],
    ['already-present', 'tag is new', undefined, 'mounted'],
    ['already-present', 'tag is there', rootManifest.digest, 'already-present'],
    ['copied', 'tag is there', rootManifest.digest, 'copied'],
  ] as const)('where content is %s and the %s', async (content, _tag, holds, outcome) => {
    const fake = new FakeRun({ copier: copying({ prod: copied(content) }) });
    if (holds !== undefined) fake.tags.set(`prod:${oneTag}`, holds);

    await runItem(itemRun([targetRun('prod')]), fake.ports, signal);

    expect(fake.outcomes()).toEqual({ prod: outcome });
    expect(fake.logOf('putTargetTag')).toHaveLength(holds === undefined ? 1 : 0);
  });

  it.each([
    ['copied', 'already-present', 'copied'],
    ['already-present', 'mounted', 'mounted'],
    ['mounted', 'copied', 'copied'],
  ] as const)('after an attempt that %s, one that finds it %s makes it %s', async (before, now, outcome) => {
    const fake = new FakeRun({ copier: copying({ prod: copied(now) }) });

    await runItem(itemRun([targetRun('prod', { content: before, attempts: 1 })]), fake.ports, signal);

    expect(fake.outcomes()).toEqual({ prod: outcome });
    expect(fake.logOf('recordCopy')).toEqual([`recordCopy prod ${outcome}`]);
  });

  it('goes on with tagging where an earlier worker stopped, without copying again', async () => {
    const fake = new FakeRun();
    const targets = [targetRun('one', { state: 'tagging', content: 'already-present' }), targetRun('two', { state: 'tagging' })];

    await runItem(itemRun(targets), fake.ports, signal);

    expect(fake.logOf('copy', 'verify', 'recordCopy', 'resolveSourceTag')).toEqual([]);
    expect(fake.outcomes()).toEqual({ one: 'mounted', two: 'copied' });
  });

  it('does not keep a target that only wants its tag waiting for the copy to others', async () => {
    const { finished, ports } = heldUntilFinished('slow');

    await runItem(itemRun([targetRun('slow'), targetRun('resumed', { state: 'tagging' })]), ports, signal);

    expect(finished).toEqual(['resumed', 'slow']);
  });

  it('tags a target as soon as its own copy has ended', async () => {
    const { finished, ports } = heldUntilFinished('slow');

    await runItem(itemRun([targetRun('slow'), targetRun('fast')]), ports, signal);

    expect(finished).toEqual(['fast', 'slow']);
  });
});

/** The copy to one target ends when another target has finished. */
function heldUntilFinished(slow: string) {
  let finishCopy = (): void => undefined;
  const otherFinished = new Promise<void>((resolve) => {
    finishCopy = resolve;
  });
  const finished: string[] = [];
  const fake = new FakeRun({
    copier: {
      copy: async (_item, targets, { onSettled }) => {
        for (const { id } of targets) if (id !== slow) onSettled(id, copied());
        await otherFinished;
        onSettled(slow, copied());
      },
    },
    journal: {
      finish: ({ id }) => {
        finishCopy();
        return Promise.resolve(void finished.push(id));
      },
    },
  });
  return { finished, ports: fake.ports };
}
