import type { WorkerConfig } from '@waybill/config';
import type { Logger } from '@waybill/observability';
import { type Notifications, type Outbox, type TopologyRevisions, untilDatabaseAnswers } from '@waybill/persistence';
import { type Consumer, type JobQueue, requireHandlers, runPromotionJob, runPromotionQueue } from '@waybill/queue';
import { WokenLoop } from '../../infrastructure/woken-loop.js';
import type { RunPromotion } from './run-promotion.js';

export interface PromotionConsumersOptions {
  readonly config: Pick<WorkerConfig, 'locations' | 'concurrency' | 'drainMs'>;
  readonly queue: JobQueue;
  readonly revisions: Pick<TopologyRevisions, 'active'>;
  readonly outbox: Pick<Outbox, 'openLocations'>;
  readonly notifications: Pick<Notifications, 'on'>;
  readonly runPromotion: Pick<RunPromotion, 'run'>;
  readonly logger: Logger;
}

/**
 * One consumer per location that this worker serves. New locations of the topology get theirs as it is
 * applied; those that it no longer has are served for as long as a promotion of an older revision is to run there.
 */
export class PromotionConsumers {
  readonly #options: PromotionConsumersOptions;
  readonly #consumers = new Map<string, Consumer>();
  readonly #following: WokenLoop;

  constructor(options: PromotionConsumersOptions) {
    this.#options = options;
    this.#following = new WokenLoop(() => this.#consumeNewLocations(), options.logger.child({ work: 'follow-locations' }));
  }

  async start(): Promise<void> {
    this.#options.notifications.on('topology', () => this.follow());
    await untilDatabaseAnswers(() => this.#consumeNewLocations(), {
      onAway: (err) => this.#options.logger.warn({ err }, 'the worker waits for the database'),
    });
    requireHandlers(
      this.#options.queue,
      [...this.#consumers.keys()].map((location) => ({ job: runPromotionJob.name, queueName: runPromotionQueue(location) })),
    );
  }

  /** Looks for locations that have no consumer yet. */
  follow(): void {
    this.#following.wake();
  }

  /** Takes no more promotions, and hands over what does not end within the time to drain. */
  async close(): Promise<void> {
    const { drainMs } = this.#options.config;
    await this.#following.close();
    await Promise.all([...this.#consumers.values()].map((consumer) => consumer.close({ drainMs })));
  }

  /** All at once: there is never anything left. */
  async #consumeNewLocations(): Promise<0> {
    for (const location of await this.#locations()) {
      if (!this.#consumers.has(location)) this.#consumers.set(location, this.#consume(location));
    }
    return 0;
  }

  #consume(location: string): Consumer {
    const { queue, runPromotion, config, logger } = this.#options;
    logger.info({ location }, 'serving location');
    return queue.consume(runPromotionJob, runPromotionQueue(location), (payload, { signal }) => runPromotion.run(payload, signal), {
      concurrency: config.concurrency,
    });
  }

  async #locations(): Promise<readonly string[]> {
    const { config, revisions, outbox } = this.#options;
    if (config.locations !== 'all') return config.locations;
    const [active, open] = await Promise.all([revisions.active(), outbox.openLocations()]);
    return [...Object.keys(active?.topology.locations ?? {}), ...open];
  }
}
