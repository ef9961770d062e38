import { hostname } from 'node:os';
import { type BeforeApplicationShutdown, Inject, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import type { WorkerConfig } from '@waybill/config';
import type { Logger } from '@waybill/observability';
import { Database, Notifications, RetentionLeases, RetentionTicks, TopologyRevisions } from '@waybill/persistence';
import { answersWithin } from '../../infrastructure/answers-within.js';
import { CONFIG, LOGGER } from '../../infrastructure/tokens.js';
import { WokenLoop } from '../../infrastructure/woken-loop.js';
import { PlanRun } from './plan-run.js';
import { RunRetention } from './run-retention.js';

/** Times are given in minutes. A notification wakes it too. */
const tickMs = 5_000;

@Module({
  providers: [
    {
      provide: RunRetention,
      inject: [CONFIG, LOGGER, Database, TopologyRevisions],
      useFactory: ({ dispatchLeaseMs: leaseMs }: WorkerConfig, logger: Logger, database: Database, revisions: TopologyRevisions) =>
        new RunRetention({
          ticks: new RetentionTicks(database),
          leases: new RetentionLeases(database, { leaseMs }),
          leaseMs,
          planRun: new PlanRun({ database, revisions }),
          workerId: `${hostname()}:${process.pid}`,
          logger,
        }),
    },
  ],
})
export class RunRetentionModule implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown {
  readonly #retention: RunRetention;
  readonly #notifications: Notifications;
  readonly #ticks: WokenLoop;
  readonly #runs: WokenLoop;
  readonly #drainMs: number;
  #drained: Promise<boolean> = Promise.resolve(true);

  constructor(
    @Inject(RunRetention) retention: RunRetention,
    notifications: Notifications,
    @Inject(CONFIG) { drainMs }: WorkerConfig,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.#retention = retention;
    this.#notifications = notifications;
    this.#drainMs = drainMs;
    this.#ticks = new WokenLoop(() => retention.tick(), logger.child({ work: 'take-ticks' }));
    this.#runs = new WokenLoop(() => retention.run(), logger.child({ work: 'run-retention' }));
  }

  onApplicationBootstrap(): void {
    this.#notifications.on('retention', () => this.#wake());
  }

  @Interval(tickMs)
  tick(): void {
    this.#wake();
  }

  /** Ends planning and does not wait for the repository that is planned now: runs of promotions drain in the same time. */
  onModuleDestroy(): void {
    this.#retention.close();
    this.#drained = answersWithin(this.#drainMs, Promise.all([this.#ticks.close(), this.#runs.close()]));
  }

  /** What is not handed over in time is taken up when its lease ends. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.#drained;
  }

  #wake(): void {
    this.#ticks.wake();
    this.#runs.wake();
  }
}
