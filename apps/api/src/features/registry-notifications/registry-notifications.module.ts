import { Module } from '@nestjs/common';
import { type ApiConfig, environmentAndFolderSecrets } from '@waybill/config';
import { systemClock } from '@waybill/kernel';
import { type Logger, Metrics } from '@waybill/observability';
import { Database, NotificationFeeds, NotificationIntake, TopologyRevisions } from '@waybill/persistence';
import { CONFIG, LOGGER } from '../../infrastructure/tokens.js';
import { RegistryNotificationsController } from './registry-notifications.controller.js';
import { Senders } from './senders.js';
import { TakeNotifications } from './take-notifications.js';

@Module({
  controllers: [RegistryNotificationsController],
  providers: [
    { provide: NotificationFeeds, inject: [Database], useFactory: (database: Database) => new NotificationFeeds(database) },
    {
      provide: Senders,
      inject: [CONFIG, LOGGER, TopologyRevisions],
      useFactory: ({ secrets, notificationKey: key }: ApiConfig, logger: Logger, revisions: TopologyRevisions) =>
        new Senders({ revisions, secrets: environmentAndFolderSecrets(secrets), key, clock: systemClock, logger }),
    },
    {
      provide: TakeNotifications,
      inject: [Database, Metrics],
      useFactory: (database: Database, metrics: Metrics) =>
        new TakeNotifications({ intake: new NotificationIntake(database), metrics, clock: systemClock }),
    },
  ],
})
export class RegistryNotificationsModule {}
