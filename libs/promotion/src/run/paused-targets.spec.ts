import { describe, expect, it } from '@jest/globals';
import { paused } from '../promotion-error.js';
import { FakeRun, itemRun, oneTag, ourTurn, targetRun } from './fake-run.spec-helper.js';
import type { RunJournal } from './ports.js';
import { runItem } from './run-item.js';

const idle = new AbortController().signal;

describe('runItem and pauses', () => {
  it('leaves a target alone that is held, and goes on at the others', async () => {
    const fake = new FakeRun({ journal: { beginAttempt: () => Promise.resolve(new Set(['held'])) } });

    await runItem(itemRun([targetRun('held'), targetRun('good')]), fake.ports, idle);

    expect(fake.outcomes()).toEqual({ good: 'copied' });
    expect(fake.logOf('copy')).toEqual(['copy item good']);
    expect(fake.logOf('holdBack', 'retryLater')).toEqual([]);
  });

  it('does nothing at all when every target is held', async () => {
    const fake = new FakeRun({ journal: { beginAttempt: () => Promise.resolve(new Set(['held'])) } });

    await runItem(itemRun([targetRun('held')]), fake.ports, idle);

    expect(fake.log).toEqual(['beginAttempt held']);
  });

  it.each<[string, Partial<RunJournal>]>([
    ['when its turn would have come', { acquireTag: ({ id }) => Promise.resolve(id === 'held' ? { turn: 'paused' } : anyTurn) }],
    ['when it is about to be written', { intendTag: ({ id }) => (id === 'held' ? Promise.reject(paused()) : Promise.resolve()) }],
  ])('holds a tag back %s, uses up no attempt, and goes on at the others', async (_when, journal) => {
    const fake = new FakeRun({ journal });

    await runItem(itemRun([targetRun('held'), targetRun('good')]), fake.ports, idle);

    expect(fake.outcomes()).toEqual({ good: 'copied' });
    expect([...fake.tags.keys()]).toEqual([`good:${oneTag}`]);
    expect(fake.logOf('holdBack', 'retryLater')).toEqual(['holdBack held']);
  });
});

const anyTurn = ourTurn();
