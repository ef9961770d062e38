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
import { CrawlLeases, CrawlSchedules, Database, Notifications, RegistryChecks, TopologyRevisions } from '@waybill/persistence';
import { answersWithin } from '../../infrastructure/answers-within.js';
import { CONFIG, LOGGER } from '../../infrastructure/tokens.js';
import { WokenLoop } from '../../infrastructure/woken-loop.js';
import { CrawlClients } from './crawl-clients.js';
import { CrawlInventory } from './crawl-inventory.js';
import { crawledRegistries } from './crawled-registries.js';

/** Crawls are due every few minutes: nobody misses one for seconds. */
const tickMs = 5_000;
/** Of registries: each crawl asks for several things at a time. */
const concurrency = 2;

@Module({
  providers: [
    {
      provide: CrawlSchedules,
      inject: [Database],
      useFactory: (database: Database) => new CrawlSchedules(database),
    },
    {
      provide: CrawlClients,
      inject: [CONFIG, LOGGER, Metrics, Database, TopologyRevisions],
      useFactory: (config: WorkerConfig, logger: Logger, metrics: Metrics, database: Database, revisions: TopologyRevisions) =>
        new CrawlClients({ config, logger, metrics, revisions, checks: new RegistryChecks(database) }),
    },
    {
      provide: CrawlInventory,
      inject: [CONFIG, LOGGER, Database, CrawlSchedules, CrawlClients],
      useFactory: (
        { locations, dispatchLeaseMs: leaseMs }: WorkerConfig,
        logger: Logger,
        database: Database,
        schedules: CrawlSchedules,
        clients: CrawlClients,
      ) =>
        new CrawlInventory({
          leases: new CrawlLeases(database, { leaseMs }),
          schedules,
          leaseMs,
          open: (crawl, onRequest) => clients.open(crawl, onRequest),
          locations,
          workerId: `${hostname()}:${process.pid}`,
          concurrency,
          logger,
        }),
    },
  ],
})
export class CrawlInventoryModule implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown, OnApplicationShutdown {
  readonly #inventory: CrawlInventory;
  readonly #clients: CrawlClients;
  readonly #notifications: Notifications;
  readonly #crawls: WokenLoop;
  readonly #schedules: WokenLoop;
  readonly #drainMs: number;
  #drained: Promise<boolean> = Promise.resolve(true);

  constructor(
    @Inject(CrawlInventory) inventory: CrawlInventory,
    @Inject(CrawlClients) clients: CrawlClients,
    @Inject(CrawlSchedules) schedules: CrawlSchedules,
    revisions: TopologyRevisions,
    notifications: Notifications,
    @Inject(CONFIG) { drainMs }: WorkerConfig,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.#inventory = inventory;
    this.#clients = clients;
    this.#notifications = notifications;
    this.#drainMs = drainMs;
    this.#crawls = new WokenLoop(() => inventory.begin(() => this.#crawls.wake()), logger.child({ work: 'crawl-inventory' }));
    const declare = async (): Promise<number> => {
      const active = await revisions.active();
      if (active !== undefined) await schedules.declare(crawledRegistries(active.topology));
      return 0;
    };
    this.#schedules = new WokenLoop(declare, logger.child({ work: 'schedule-crawls' }));
  }

  onApplicationBootstrap(): void {
    this.#notifications.on('crawl', () => this.#crawls.wake());
    this.#notifications.on('topology', () => this.#schedules.wake());
  }

  @Interval(tickMs)
  tick(): void {
    this.#crawls.wake();
  }

  /** Ends the crawls and waits for none of them, so that runs drain in the same time. */
  async onModuleDestroy(): Promise<void> {
    await Promise.all([this.#crawls.close(), this.#schedules.close()]);
    this.#drained = answersWithin(this.#drainMs, this.#inventory.close());
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.#drained;
  }

  onApplicationShutdown(): void {
    this.#clients.close();
  }
}
