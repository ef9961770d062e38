import { Inject, Module, type OnModuleDestroy } from '@nestjs/common';
import { type Logger, Metrics } from '@waybill/observability';
import { EventLog, Notifications, PromotionReadModel } from '@waybill/persistence';
import { LOGGER } from '../../infrastructure/tokens.js';
import { EventFeed } from './event-feed.js';
import { EventsController } from './events.controller.js';
import { FollowEvents } from './follow-events.js';
import { measureStreams } from './measure-streams.js';
import { ProgressFeed } from './progress-feed.js';
import { PromotionScopes } from './promotion-scopes.js';
import { Readers } from './readers.js';

const heartbeatMs = 15_000;
const stallMs = 30_000;
const bounds = { total: 1_000, perPrincipal: 250 };

@Module({
  controllers: [EventsController],
  providers: [
    {
      provide: PromotionScopes,
      inject: [PromotionReadModel],
      useFactory: (promotions: PromotionReadModel) => new PromotionScopes(promotions),
    },
    {
      provide: FollowEvents,
      inject: [EventLog, PromotionReadModel, PromotionScopes, Notifications, LOGGER, Metrics],
      useFactory: (
        log: EventLog,
        promotions: PromotionReadModel,
        scopes: PromotionScopes,
        notifications: Notifications,
        logger: Logger,
        metrics: Metrics,
      ) => {
        const feed = new EventFeed({ log, logger });
        const progress = new ProgressFeed();
        // Streams of all readers hang on the one connection that listens.
        notifications.on('event', () => feed.wake());
        notifications.on('progress', (payload) => progress.take(payload));
        const readers = new Readers(bounds);
        measureStreams(metrics, readers);
        return new FollowEvents({ log, feed, progress, promotions, scopes, readers, logger, heartbeatMs, stallMs });
      },
    },
  ],
})
export class EventsModule implements OnModuleDestroy {
  readonly #followEvents: FollowEvents;

  constructor(@Inject(FollowEvents) followEvents: FollowEvents) {
    this.#followEvents = followEvents;
  }

  /** Before the server waits for its connections. */
  async onModuleDestroy(): Promise<void> {
    await this.#followEvents.close();
  }
}
