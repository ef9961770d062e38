import type { CounterMetric, Metrics } from '@waybill/observability';

/** Counts what the reconciler finished, by what it was. */
export function reconcileMetrics(metrics: Metrics): CounterMetric<'what'> {
  return metrics.counter({
    name: 'reconciled_total',
    help: 'What was left over and brought to its end: effects, dispatches, promotions, leases on tags.',
    labels: ['what'],
  });
}
