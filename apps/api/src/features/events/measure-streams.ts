import type { Metrics } from '@waybill/observability';
import type { Readers } from './readers.js';

/** Tells with each answer how many streams are open. */
export function measureStreams(metrics: Metrics, readers: Pick<Readers, 'open'>): void {
  const open = metrics.gauge({ name: 'event_streams_open', help: 'Streams of events that are open at this process.', labels: [] });
  metrics.beforeEachAnswer(() => {
    open.set({}, readers.open);
    return Promise.resolve();
  });
}
