import type { WorkerConfig } from '@waybill/config';
import type { Logger } from '@waybill/observability';
import type { Notifications, TopologyRevisions } from '@waybill/persistence';
import { type Consumer, type JobQueue, requireHandlers, runPromotionJob, runPromotionQueue } from '@waybill/queue';
import type { RunPromotion } from './run-promotion.js';

export interface PromotionConsumersOptions {
  readonly config: WorkerConfig;
  readonly queue: JobQueue;
  readonly revisions: TopologyRevisions;
  readonly notifications: Notifications;
  readonly runPromotion: RunPromotion;
  readonly logger: Logger;
}

/** One consumer per location that this worker serves; new locations of the topology get theirs as it is applied. */
export class PromotionConsumers {
  readonly #options: PromotionConsumersOptions;
  readonly #consumers = new Map<string, Consumer>();
  #following: Promise<void> = Promise.resolve();

  constructor(options: PromotionConsumersOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#options.notifications.on('topology', () => this.#follow());
    await this.#consumeLocations();
  }

  async close(): Promise<void> {
    const { drainMs } = this.#options.config;
    await this.#following;
    await Promise.all([...this.#consumers.values()].map((consumer) => consumer.close({ drainMs })));
  }

  #follow(): void {
    const { logger } = this.#options;
    this.#following = this.#following
      .then(() => this.#consumeLocations())
      .catch((err: unknown) => logger.error({ err }, 'the locations of the topology could not be read'));
  }

  async #consumeLocations(): Promise<void> {
    const { queue } = this.#options;
    const locations = await this.#locations();
    for (const location of locations) {
      if (!this.#consumers.has(location)) this.#consumers.set(location, this.#consume(location));
    }
    requireHandlers(
      queue,
      locations.map((location) => ({ job: runPromotionJob.name, queueName: runPromotionQueue(location) })),
    );
  }

  #consume(location: string): Consumer {
    const { queue, runPromotion, config, logger } = this.#options;
    logger.info({ location }, 'serving location');
    return queue.consume(runPromotionJob, runPromotionQueue(location), (payload, { signal }) => runPromotion.run(payload, signal), {
      concurrency: config.concurrency,
    });
  }

  async #locations(): Promise<readonly string[]> {
    const { config, revisions } = this.#options;
    if (config.locations !== 'all') return config.locations;
    return Object.keys((await revisions.active())?.topology.locations ?? {});
  }
}
