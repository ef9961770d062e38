import type { Logger, Metrics } from '@waybill/observability';
import type { FeedState } from '@waybill/persistence';

export interface FeedGaugesOptions {
  readonly metrics: Metrics;
  readonly readStates: () => Promise<readonly FeedState[]>;
  readonly logger: Pick<Logger, 'warn'>;
}

/** How well registries are heard, read before each answer. What is unknown has no figure. */
export function measureFeeds({ metrics, readStates, logger }: FeedGaugesOptions): void {
  const known = metrics.gauge({
    name: 'pulls_known_seconds',
    help: 'For how long every pull from the registry has been known; absent while that is unknown.',
    labels: ['registry'],
  });
  const heard = metrics.gauge({
    name: 'registry_heard_seconds',
    help: 'How long ago the last heartbeat was sent that the registry told of.',
    labels: ['registry'],
  });
  const gaps = metrics.total({
    name: 'notification_gaps_total',
    help: 'How often it became unknown what was pulled, as something may have been lost.',
    labels: ['registry'],
  });
  const hints = metrics.gauge({
    name: 'notification_hints',
    help: 'Tags and digests that the registry told of and that are still to be asked about.',
    labels: ['registry'],
  });
  metrics.beforeEachAnswer(async () => {
    for (const figure of [known, heard, gaps, hints]) figure.clear();
    try {
      for (const { registry, knownSince, heardAt, ...state } of await readStates()) {
        if (knownSince !== undefined) known.set({ registry }, secondsSince(knownSince));
        if (heardAt !== undefined) heard.set({ registry }, secondsSince(heardAt));
        gaps.set({ registry }, state.gaps);
        hints.set({ registry }, state.hints);
      }
    } catch (err) {
      logger.warn({ err }, 'how well registries are heard could not be read');
    }
  });
}

function secondsSince(time: Date): number {
  return Math.max(0, Date.now() - time.getTime()) / 1_000;
}
