import { hostname } from 'node:os';
import { Inject, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import type { WorkerConfig } from '@waybill/config';
import { type Logger, Metrics } from '@waybill/observability';
import { Database, maxPayloadBytes, Notifications, Outbox, TopologyRevisions } from '@waybill/persistence';
import type { JobQueue } from '@waybill/queue';
import { RegistryClients } from '@waybill/registry-clients';
import { CONFIG, JOB_QUEUE, LOGGER } from '../../infrastructure/tokens.js';
import { Cancellations } from './cancellations.js';
import { PromotionConsumers } from './promotion-consumers.js';
import { RegistryCopier } from './registry-copier.js';
import { ReportProgress } from './report-progress.js';
import { runMetrics } from './run-metrics.js';
import { RunPromotion } from './run-promotion.js';
import { RunRecords } from './run-records.js';
import { WatchCancellations } from './watch-cancellations.js';

/** A notification wakes it when a topology is applied; the tick is for work at locations that no topology has any more. */
const tickMs = 15_000;

@Module({
  providers: [
    {
      provide: RunRecords,
      inject: [CONFIG, Database],
      useFactory: ({ dispatchLeaseMs: leaseMs }: WorkerConfig, database: Database) => new RunRecords(database, { leaseMs }),
    },
    {
      provide: Cancellations,
      inject: [RunRecords],
      useFactory: (records: RunRecords) => new Cancellations((ids) => records.cancelledAmong(ids)),
    },
    WatchCancellations,
    {
      provide: RunPromotion,
      inject: [CONFIG, LOGGER, RunRecords, Cancellations, RegistryClients, Metrics],
      useFactory: (
        config: WorkerConfig,
        logger: Logger,
        records: RunRecords,
        cancellations: Cancellations,
        clients: RegistryClients,
        metrics: Metrics,
      ) => {
        const watchOf = runMetrics(metrics);
        return new RunPromotion({
          records,
          cancellations,
          copierOf: ({ topology, addresses, run: { promotionId, location } }) => {
            const progress = new ReportProgress({ promotionId, location, maxPayloadBytes, send: (payloads) => records.tell(payloads) });
            return new RegistryCopier({ clients, topology, addresses, progress });
          },
          watchOf: ({ topology }) => watchOf(topology),
          logger,
          workerId: `${hostname()}:${process.pid}`,
          leaseMs: config.dispatchLeaseMs,
          retry: { maxAttempts: config.retryMaxAttempts, baseMs: config.retryBaseMs, maxMs: config.retryMaxMs },
        });
      },
    },
    {
      provide: PromotionConsumers,
      inject: [CONFIG, LOGGER, JOB_QUEUE, TopologyRevisions, Outbox, Notifications, RunPromotion],
      useFactory: (
        config: WorkerConfig,
        logger: Logger,
        queue: JobQueue,
        revisions: TopologyRevisions,
        outbox: Outbox,
        notifications: Notifications,
        runPromotion: RunPromotion,
      ) => new PromotionConsumers({ config, logger, queue, revisions, outbox, notifications, runPromotion }),
    },
  ],
})
export class RunPromotionModule implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #consumers: PromotionConsumers;

  constructor(@Inject(PromotionConsumers) consumers: PromotionConsumers) {
    this.#consumers = consumers;
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.#consumers.start();
  }

  @Interval(tickMs)
  tick(): void {
    this.#consumers.follow();
  }

  async onModuleDestroy(): Promise<void> {
    await this.#consumers.close();
  }
}
