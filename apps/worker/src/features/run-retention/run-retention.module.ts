import { hostname } from 'node:os';
import {
  type BeforeApplicationShutdown,
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleDestroy,
} from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import type { WorkerConfig } from '@waybill/config';
import { type Logger, Metrics } from '@waybill/observability';
import { Database, Notifications, RegistryChecks, RetentionLeases, RetentionTicks, TopologyRevisions } from '@waybill/persistence';
import { answersWithin } from '../../infrastructure/answers-within.js';
import { CONFIG, LOGGER } from '../../infrastructure/tokens.js';
import { TrashClients } from '../../infrastructure/trash/trash-clients.js';
import { WokenLoop } from '../../infrastructure/woken-loop.js';
import { ExecuteRun } from './execute-run.js';
import { PlanRun } from './plan-run.js';
import { RunRetention } from './run-retention.js';

/** Times are given in minutes. A notification wakes it too. */
const tickMs = 5_000;

@Module({
  providers: [
    {
      provide: TrashClients,
      inject: [CONFIG, LOGGER, Metrics, Database, TopologyRevisions],
      useFactory: (config: WorkerConfig, logger: Logger, metrics: Metrics, database: Database, revisions: TopologyRevisions) =>
        new TrashClients({ config, logger, metrics, revisions, checks: new RegistryChecks(database) }),
    },
    {
      provide: RunRetention,
      inject: [CONFIG, LOGGER, Database, TopologyRevisions, TrashClients],
      useFactory: (
        { dispatchLeaseMs: leaseMs }: WorkerConfig,
        logger: Logger,
        database: Database,
        revisions: TopologyRevisions,
        clients: TrashClients,
      ) =>
        new RunRetention({
          ticks: new RetentionTicks(database),
          leases: new RetentionLeases(database, { leaseMs }),
          leaseMs,
          planRun: new PlanRun({ database, revisions }),
          executeRun: new ExecuteRun({ database, revisions, clients, logger }),
          workerId: `${hostname()}:${process.pid}`,
          logger,
        }),
    },
  ],
})
export class RunRetentionModule implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown, OnApplicationShutdown {
  readonly #retention: RunRetention;
  readonly #notifications: Notifications;
  readonly #ticks: WokenLoop;
  readonly #runs: WokenLoop;
  readonly #executions: WokenLoop;
  readonly #clients: TrashClients;
  readonly #drainMs: number;
  #drained: Promise<boolean> = Promise.resolve(true);

  constructor(
    @Inject(RunRetention) retention: RunRetention,
    @Inject(TrashClients) clients: TrashClients,
    notifications: Notifications,
    @Inject(CONFIG) { drainMs }: WorkerConfig,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.#retention = retention;
    this.#clients = clients;
    this.#notifications = notifications;
    this.#drainMs = drainMs;
    this.#ticks = new WokenLoop(() => retention.tick(), logger.child({ work: 'take-ticks' }));
    this.#runs = new WokenLoop(() => retention.run(), logger.child({ work: 'run-retention' }));
    this.#executions = new WokenLoop(() => retention.execute(), logger.child({ work: 'execute-retention' }));
  }

  onApplicationBootstrap(): void {
    this.#notifications.on('retention', () => this.#wake());
  }

  @Interval(tickMs)
  tick(): void {
    this.#wake();
  }

  /** Ends what is under way and does not wait for it: runs of promotions drain in the same time. */
  onModuleDestroy(): void {
    this.#retention.close();
    this.#drained = answersWithin(this.#drainMs, Promise.all([this.#ticks.close(), this.#runs.close(), this.#executions.close()]));
  }

  /** What is not handed over in time is taken up when its lease ends. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.#drained;
  }

  onApplicationShutdown(): void {
    this.#clients.close();
  }

  #wake(): void {
    this.#ticks.wake();
    this.#runs.wake();
    this.#executions.wake();
  }
}
