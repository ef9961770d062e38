import { describe, expect, it } from '@jest/globals';
import { Metrics } from '@waybill/observability';
import type { RetentionState } from '@waybill/persistence';
import { logged } from '../../infrastructure/logged.spec-helper.js';
import { measureRetention } from './retention-gauges.js';

const state: RetentionState = {
  openRuns: [{ policy: 'nightly', state: 'grace', count: 1 }],
  runsEnded: [{ policy: 'nightly', state: 'partial', count: 2 }],
  removals: [{ policy: 'nightly', outcome: 'deleted', count: 30 }],
  policies: [
    { policy: 'nightly', overdue: 5, successAge: 60, lastRun: { seconds: 12, removals: 4, unknown: 1, bytesAtMost: 900 } },
    { policy: 'weekly', overdue: 0, successAge: null, lastRun: null },
  ],
};

describe('measureRetention', () => {
  function measured(readState: () => Promise<RetentionState>) {
    const metrics = new Metrics();
    const log = logged();
    measureRetention({ metrics, readState, logger: log.logger });
    return { log, ours: async () => (await metrics.text()).split('\n').filter((line) => line.startsWith('waybill_')) };
  }

  it('tells how each policy goes, and nothing of what has not been', async () => {
    expect(await measured(() => Promise.resolve(state)).ours()).toEqual([
      'waybill_retention_runs_open{policy="nightly",state="grace"} 1',
      'waybill_retention_runs_ended_total{policy="nightly",state="partial"} 2',
      'waybill_retention_removals_total{policy="nightly",outcome="deleted"} 30',
      'waybill_retention_overdue_seconds{policy="nightly"} 5',
      'waybill_retention_overdue_seconds{policy="weekly"} 0',
      'waybill_retention_success_age_seconds{policy="nightly"} 60',
      'waybill_retention_last_run_seconds{policy="nightly"} 12',
      'waybill_retention_last_run_removals{policy="nightly"} 4',
      'waybill_retention_last_run_unknown{policy="nightly"} 1',
      'waybill_retention_last_run_bytes{policy="nightly"} 900',
    ]);
  });

  it('tells nothing while the database does not answer, and logs why', async () => {
    const { ours, log } = measured(() => Promise.reject(new Error('refused')));

    expect(await ours()).toEqual([]);
    expect(log.lines).toEqual([expect.objectContaining({ level: 'warn', err: expect.objectContaining({ message: 'refused' }) })]);
  });
});
