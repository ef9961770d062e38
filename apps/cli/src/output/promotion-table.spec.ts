import { describe, expect, it } from '@jest/globals';
import { promotion, target } from '../scripted-api.spec-helper.js';
import { promotionNotes, promotionTable } from './promotion-table.js';

const denied = {
  code: 'target-denied',
  message: 'prod-b: push blob: denied',
  operation: 'push blob',
  retryable: false,
  help: 'Give it rights.',
};
const busy = {
  code: 'target-rate-limited',
  message: 'prod-c: push blob: slow down',
  operation: 'push blob',
  retryable: true,
  help: 'Wait.',
};

describe('a promotion that is partial', () => {
  const partial = promotion({ state: 'partial' }, [
    target({ registry: 'prod', outcome: 'copied' }),
    target({ registry: 'prod-b', outcome: 'failed', error: denied }),
    target({ registry: 'prod-c', state: 'pending', outcome: undefined, attempts: 2, dueAt: '2026-05-01T10:00:09Z', error: busy }),
  ]);

  it('shows the outcome of each target', () => {
    const rows = promotionTable(partial).split('\n');

    expect(rows.find((row) => row.includes('prod '))).toContain('copied');
    expect(rows.find((row) => row.includes('prod-b '))).toContain('failed');
    expect(rows.find((row) => row.includes('prod-c '))).toContain('pending');
  });

  it('explains what kept each target from being done, by code, and what to do', () => {
    expect(promotionNotes(partial)).toEqual([
      'prod-b: prod-b: push blob: denied',
      '  failed (target-denied): Give it rights.',
      'prod-c: prod-c: push blob: slow down (attempt 2, next 2026-05-01T10:00:09Z)',
    ]);
  });

  it('says what it knows where an older API knows no help', () => {
    const { help: _, ...older } = denied;

    expect(promotionNotes(promotion({ state: 'failed' }, [target({ outcome: 'failed', error: older })]))).toEqual([
      'prod: prod-b: push blob: denied',
    ]);
  });
});

it('says of a target whose registry is collected for what it waits, and since when', () => {
  const since = '2026-05-01T10:00:00Z';
  const pause = { id: 'p', scope: 'collection', name: 'prod', reason: 'the disk is full', pausedBy: 'somebody', pausedAt: since } as const;
  const waiting = target({ state: 'pending', outcome: undefined, waitingFor: { what: 'pause', since, pause } });

  expect(promotionNotes(promotion({ state: 'waiting' }, [waiting]))).toEqual([
    `prod: it is being collected since ${since}, asked for by somebody: the disk is full`,
  ]);
});
