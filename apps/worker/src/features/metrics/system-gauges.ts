import type { Logger, Metrics } from '@waybill/observability';
import type { SystemState } from '@waybill/persistence';

export interface SystemGaugesOptions {
  readonly metrics: Metrics;
  readonly readState: () => Promise<SystemState>;
  readonly logger: Pick<Logger, 'warn'>;
}

/**
 * What waits in the whole system, read from the database before each answer. Every worker tells the same,
 * so that a query takes the greatest. While the database does not answer there is no figure: unknown is not 0.
 */
export function measureSystem({ metrics, readState, logger }: SystemGaugesOptions): void {
  const gauges = gaugesOf(metrics);
  metrics.beforeEachAnswer(async () => {
    for (const gauge of Object.values(gauges)) gauge.clear();
    try {
      setGauges(gauges, await readState());
      gauges.databaseUp.set({}, 1);
    } catch (err) {
      gauges.databaseUp.set({}, 0);
      logger.warn({ err }, 'the state of the system could not be read');
    }
  });
}

type SystemGauges = ReturnType<typeof gaugesOf>;

function gaugesOf(metrics: Metrics) {
  return {
    databaseUp: metrics.gauge({ name: 'database_up', help: '1 when the database told what waits, else 0.', labels: [] }),
    openPromotions: metrics.gauge({
      name: 'promotions_open',
      help: 'Promotions that have not ended, by path and state.',
      labels: ['path', 'state'],
    }),
    queueAge: metrics.gauge({
      name: 'queue_age_seconds',
      help: 'How long the work waiting longest at a location has been waiting for a worker.',
      labels: ['location'],
    }),
    outboxAge: metrics.gauge({
      name: 'outbox_age_seconds',
      help: 'How long the oldest message has been waiting to be put into the queue.',
      labels: [],
    }),
    promotionsEnded: metrics.total({
      name: 'promotions_ended_total',
      help: 'Promotions that have ended, by path and final state.',
      labels: ['path', 'state'],
    }),
    targetsEnded: metrics.total({
      name: 'targets_ended_total',
      help: 'Item-targets that have ended, by registry and outcome.',
      labels: ['registry', 'outcome'],
    }),
    leaseTakeovers: metrics.total({
      name: 'lease_takeovers_total',
      help: 'Leases of runs that expired because their worker was gone, by location.',
      labels: ['location'],
    }),
    unsettledEffectAge: metrics.gauge({
      name: 'unsettled_effect_age_seconds',
      help: 'How long the fate of the oldest open effect has been unknown.',
      labels: [],
    }),
  };
}

function setGauges(gauges: SystemGauges, state: SystemState): void {
  for (const { path, state: name, count } of state.openPromotions) gauges.openPromotions.set({ path, state: name }, count);
  for (const { location, seconds } of state.queueAges) gauges.queueAge.set({ location }, seconds);
  for (const { path, state: name, count } of state.promotionsEnded) gauges.promotionsEnded.set({ path, state: name }, count);
  for (const { registry, outcome, count } of state.targetsEnded) gauges.targetsEnded.set({ registry, outcome }, count);
  for (const { location, count } of state.leaseTakeovers) gauges.leaseTakeovers.set({ location }, count);
  gauges.outboxAge.set({}, state.outboxAge);
  gauges.unsettledEffectAge.set({}, state.unsettledEffectAge);
}
