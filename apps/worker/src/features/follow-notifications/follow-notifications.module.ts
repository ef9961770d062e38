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
import { Database, NotificationFeeds, NotificationHints, Notifications, TopologyRevisions } from '@waybill/persistence';
import { answersWithin } from '../../infrastructure/answers-within.js';
import { CONFIG, LOGGER } from '../../infrastructure/tokens.js';
import { WokenLoop } from '../../infrastructure/woken-loop.js';
import { DeclareFeeds } from './declare-feeds.js';
import { measureFeeds } from './feed-gauges.js';
import { FollowHints } from './follow-hints.js';
import { SendHeartbeats } from './send-heartbeats.js';
import { ToldRegistries } from './told-registries.js';

/** What is told is looked at a moment later, with what was told besides. */
const tickMs = 1_000;
/** A look at some tags and digests, and what is beneath them. */
const leaseMs = 60_000;
const concurrency = 4;

@Module({
  providers: [
    {
      provide: NotificationFeeds,
      inject: [Database, Metrics, LOGGER],
      useFactory: (database: Database, metrics: Metrics, logger: Logger) => {
        const feeds = new NotificationFeeds(database);
        measureFeeds({ metrics, readStates: () => feeds.states(), logger });
        return feeds;
      },
    },
    {
      provide: DeclareFeeds,
      inject: [NotificationFeeds, TopologyRevisions],
      useFactory: (feeds: NotificationFeeds, revisions: TopologyRevisions) => new DeclareFeeds(feeds, revisions),
    },
    {
      provide: ToldRegistries,
      inject: [CONFIG, LOGGER, Metrics, TopologyRevisions],
      useFactory: (config: WorkerConfig, logger: Logger, metrics: Metrics, revisions: TopologyRevisions) =>
        new ToldRegistries({ config, logger, metrics, revisions }),
    },
    {
      provide: FollowHints,
      inject: [CONFIG, LOGGER, Database, ToldRegistries],
      useFactory: ({ locations }: WorkerConfig, logger: Logger, database: Database, registries: ToldRegistries) =>
        new FollowHints({ hints: new NotificationHints(database, { leaseMs }), leaseMs, registries, locations, concurrency, logger }),
    },
    {
      provide: SendHeartbeats,
      inject: [CONFIG, LOGGER, NotificationFeeds, ToldRegistries],
      useFactory: ({ locations }: WorkerConfig, logger: Logger, feeds: NotificationFeeds, registries: ToldRegistries) =>
        new SendHeartbeats({ feeds, registries, locations, concurrency, logger }),
    },
  ],
})
export class FollowNotificationsModule
  implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown, OnApplicationShutdown
{
  readonly #registries: ToldRegistries;
  readonly #notifications: Notifications;
  readonly #work: readonly [FollowHints, SendHeartbeats];
  readonly #hints: WokenLoop;
  readonly #heartbeats: WokenLoop;
  readonly #declarations: WokenLoop;
  readonly #drainMs: number;
  #drained: Promise<boolean> = Promise.resolve(true);

  constructor(
    @Inject(FollowHints) followHints: FollowHints,
    @Inject(SendHeartbeats) sendHeartbeats: SendHeartbeats,
    @Inject(ToldRegistries) registries: ToldRegistries,
    @Inject(DeclareFeeds) declareFeeds: DeclareFeeds,
    notifications: Notifications,
    @Inject(CONFIG) { drainMs }: WorkerConfig,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.#registries = registries;
    this.#notifications = notifications;
    this.#work = [followHints, sendHeartbeats];
    this.#drainMs = drainMs;
    this.#hints = new WokenLoop(() => followHints.begin(() => this.#hints.wake()), logger.child({ work: 'follow-hints' }));
    this.#heartbeats = new WokenLoop(() => sendHeartbeats.begin(() => this.#heartbeats.wake()), logger.child({ work: 'send-heartbeats' }));
    this.#declarations = new WokenLoop(() => declareFeeds.declare(), logger.child({ work: 'declare-feeds' }));
  }

  onApplicationBootstrap(): void {
    this.#notifications.on('topology', () => this.#declarations.wake());
  }

  @Interval(tickMs)
  tick(): void {
    this.#hints.wake();
    this.#heartbeats.wake();
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all([this.#hints.close(), this.#heartbeats.close(), this.#declarations.close()]);
    this.#drained = answersWithin(this.#drainMs, Promise.all(this.#work.map((work) => work.close())));
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.#drained;
  }

  onApplicationShutdown(): void {
    this.#registries.close();
  }
}
