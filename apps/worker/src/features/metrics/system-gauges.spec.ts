import { describe, expect, it } from '@jest/globals';
import { Metrics } from '@waybill/observability';
import type { SystemState } from '@waybill/persistence';
import { logged } from '../../infrastructure/logged.spec-helper.js';
import { measureSystem } from './system-gauges.js';

const waiting: SystemState = {
  openPromotions: [{ path: 'release', state: 'running', count: 3 }],
  queueAges: [{ location: 'eu', seconds: 12 }],
  outboxAge: 2,
  unsettledEffectAge: 700,
  promotionsEnded: [{ path: 'release', state: 'succeeded', count: 40 }],
  targetsEnded: [{ registry: 'prod', outcome: 'copied', count: 41 }],
  leaseTakeovers: [{ location: 'eu', count: 2 }],
};

describe('measureSystem', () => {
  function measured(...states: readonly (SystemState | Error)[]) {
    const metrics = new Metrics();
    const log = logged();
    const left = [...states];
    const readState = () => {
      const state = left.shift();
      return state === undefined || state instanceof Error ? Promise.reject(state ?? new Error('nothing is left')) : Promise.resolve(state);
    };
    measureSystem({ metrics, readState, logger: log.logger });
    return { log, ours: async () => (await metrics.text()).split('\n').filter((line) => line.startsWith('waybill_')) };
  }

  it('tells what waits', async () => {
    expect(await measured(waiting).ours()).toEqual([
      'waybill_database_up 1',
      'waybill_promotions_open{path="release",state="running"} 3',
      'waybill_queue_age_seconds{location="eu"} 12',
      'waybill_outbox_age_seconds 2',
      'waybill_promotions_ended_total{path="release",state="succeeded"} 40',
      'waybill_targets_ended_total{registry="prod",outcome="copied"} 41',
      'waybill_lease_takeovers_total{location="eu"} 2',
      'waybill_unsettled_effect_age_seconds 700',
    ]);
  });

  it('tells no figure while the database does not answer, and logs why', async () => {
    const { ours, log } = measured(waiting, new Error('refused'));
    await ours();

    const lines = await ours();

    expect(lines).toContain('waybill_database_up 0');
    expect(lines.filter((line) => line.includes('promotions_open') || line.includes('queue_age'))).toEqual([]);
    expect(log.lines).toEqual([expect.objectContaining({ level: 'warn', err: expect.objectContaining({ message: 'refused' }) })]);
  });
});
