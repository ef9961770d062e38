import type { Logger, Metrics } from '@waybill/observability';
import type { RetentionState } from '@waybill/persistence';

export interface RetentionGaugesOptions {
  readonly metrics: Metrics;
  readonly readState: () => Promise<RetentionState>;
  readonly logger: Pick<Logger, 'warn'>;
}

/** How retention goes, read from the database before each answer, by every worker the same. What is unknown has no figure. */
export function measureRetention({ metrics, readState, logger }: RetentionGaugesOptions): void {
  const gauges = gaugesOf(metrics);
  metrics.beforeEachAnswer(async () => {
    for (const gauge of Object.values(gauges)) gauge.clear();
    try {
      setGauges(gauges, await readState());
    } catch (err) {
      logger.warn({ err }, 'the state of retention could not be read');
    }
  });
}

type RetentionGauges = ReturnType<typeof gaugesOf>;

function gaugesOf(metrics: Metrics) {
  const gauge = (name: string, help: string) => metrics.gauge({ name: `retention_${name}`, help, labels: ['policy'] });
  return {
    openRuns: metrics.gauge({
      name: 'retention_runs_open',
      help: 'Runs of retention that have not ended, by policy and state.',
      labels: ['policy', 'state'],
    }),
    runsEnded: metrics.total({
      name: 'retention_runs_ended_total',
      help: 'Runs of retention that have ended, by policy and final state.',
      labels: ['policy', 'state'],
    }),
    removals: metrics.total({
      name: 'retention_removals_total',
      help: 'Manifests, and tags that were taken off, by policy and what has come of them.',
      labels: ['policy', 'outcome'],
    }),
    overdue: gauge('overdue_seconds', 'For how long a policy should have run; 0 while it need not.'),
    successAge: gauge('success_age_seconds', 'How long ago the last run of a policy that succeeded had ended.'),
    seconds: gauge('last_run_seconds', 'How long the last run of a policy that ended took, with its grace.'),
    planned: gauge('last_run_removals', 'Artifacts and tags that the last plan of a policy removes.'),
    unknown: gauge('last_run_unknown', 'Artifacts that the last plan of a policy keeps for want of knowledge alone.'),
    bytesAtMost: gauge('last_run_bytes', 'Bytes that the last plan of a policy gives free, at most.'),
  };
}

function setGauges(gauges: RetentionGauges, { openRuns, policies, runsEnded, removals }: RetentionState): void {
  for (const { policy, state, count } of openRuns) gauges.openRuns.set({ policy, state }, count);
  for (const { policy, state, count } of runsEnded) gauges.runsEnded.set({ policy, state }, count);
  for (const { policy, outcome, count } of removals) gauges.removals.set({ policy, outcome }, count);
  for (const { policy, overdue, successAge, lastRun } of policies) {
    gauges.overdue.set({ policy }, overdue);
    if (successAge !== null) gauges.successAge.set({ policy }, successAge);
    if (lastRun === null) continue;
    gauges.seconds.set({ policy }, lastRun.seconds);
    gauges.planned.set({ policy }, lastRun.removals);
    gauges.unknown.set({ policy }, lastRun.unknown);
    gauges.bytesAtMost.set({ policy }, lastRun.bytesAtMost);
  }
}
