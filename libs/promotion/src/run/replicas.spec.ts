import { describe, expect, it } from '@jest/globals';
import { copying, failedCopy, FakeRun, itemRun, targetRun, trouble } from './fake-run.spec-helper.js';
import { runItem } from './run-item.js';

const signal = new AbortController().signal;

describe('runItem and replicas', () => {
  const replica = targetRun('replica', { follows: 'prod' });

  it('tags a replica at the location of its prod right after the prod', async () => {
    const fake: FakeRun = new FakeRun({
      journal: {
        readinessToTag: ({ follows }) =>
          Promise.resolve(follows === undefined || fake.endings.has(follows) ? { ready: true } : { ready: false, wait: true }),
      },
    });

    await runItem(itemRun([replica, targetRun('prod')]), fake.ports, signal);

    expect(fake.logOf('finish')).toEqual(['finish prod', 'finish replica']);
    expect(fake.outcomes()).toEqual({ prod: 'copied', replica: 'copied' });
  });

  it('waits for its own prod only', async () => {
    const sound = new FakeRun().ports.copier;
    let letOtherGo = (): void => undefined;
    const otherGoes = new Promise<void>((resolve) => {
      letOtherGo = resolve;
    });
    const fake = new FakeRun({
      copier: { verify: (...args) => (args[1].id === 'other' ? otherGoes.then(() => sound.verify(...args)) : sound.verify(...args)) },
      journal: {
        finish: ({ id }) => {
          if (id === 'replica') letOtherGo();
          return Promise.resolve();
        },
      },
    });

    await runItem(itemRun([targetRun('other'), targetRun('prod'), replica]), fake.ports, signal);

    expect(fake.logOf('finish')).toEqual(['finish prod', 'finish replica', 'finish other']);
  });

  it('leaves a replica verified and untagged while its prod is not there yet', async () => {
    const fake = new FakeRun({ journal: { readinessToTag: () => Promise.resolve({ ready: false, wait: true }) } });

    await runItem(itemRun([replica]), fake.ports, signal);

    expect(fake.logOf('advance', 'acquireTag', 'finish', 'retryLater')).toEqual(['advance replica tagging']);
  });

  it.each(['failed', 'superseded', 'cancelled'] as const)('ends a replica as %s with its prod', async (outcome) => {
    const fake = new FakeRun({
      journal: { readinessToTag: () => Promise.resolve({ ready: false, wait: false, outcome, reason: `prod ended ${outcome}` }) },
    });

    await runItem(itemRun([replica]), fake.ports, signal);

    expect(fake.endings.get('replica')).toMatchObject({ outcome, error: { code: 'prod-not-tagged', message: `prod ended ${outcome}` } });
    expect(fake.logOf('acquireTag')).toEqual([]);
  });

  it('asks for a replica whose prod failed in the same run', async () => {
    const fake = new FakeRun({
      copier: copying({ prod: failedCopy(trouble()) }),
      journal: { readinessToTag: () => Promise.resolve({ ready: false, wait: false, outcome: 'failed', reason: 'prod failed' }) },
    });

    await runItem(itemRun([targetRun('prod'), replica]), fake.ports, signal);

    expect(fake.logOf('finish')).toEqual(['finish prod', 'finish replica']);
    expect(fake.outcomes()).toEqual({ prod: 'failed', replica: 'failed' });
  });
});
