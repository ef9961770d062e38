import { type DynamicModule, Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import type { WorkerConfig } from '@waybill/config';
import { type Logger, Metrics } from '@waybill/observability';
import { Database, Notifications, Outbox, type PoolWatch, TopologyRevisions } from '@waybill/persistence';
import { type JobQueue, openQueue } from '@waybill/queue';
import { clientsOfProcess, RegistryClients } from '@waybill/registry-clients';
import { Draining } from './draining.js';
import { CONFIG, JOB_QUEUE, LOGGER } from './tokens.js';

/** Connections to the database beside the one that listens. */
const maxConnections = 12;

export interface InfrastructureParts {
  readonly config: WorkerConfig;
  readonly logger: Logger;
}

/** Work under way fails meanwhile, waits, and goes on. */
function watchOf(logger: Logger): PoolWatch {
  return {
    onLost: (err) => logger.warn({ err }, 'the connections to the database were lost'),
    onBack: () => logger.info('the database answers again'),
  };
}

/** What every feature of the worker stands on; closed in the reverse order of use. */
@Global()
@Module({
  providers: [
    {
      provide: Database,
      inject: [CONFIG, LOGGER],
      useFactory: ({ databaseUrl, logLevel }: WorkerConfig, logger: Logger) =>
        new Database(databaseUrl, {
          maxConnections,
          ...watchOf(logger),
          // The client builds an event for every statement: only when somebody reads it.
          ...(logLevel === 'trace' ? { onStatement: (statement) => logger.trace({ statement }, 'statement') } : {}),
        }),
    },
    {
      provide: Notifications,
      inject: [CONFIG, LOGGER],
      useFactory: ({ databaseUrl }: WorkerConfig, logger: Logger) =>
        new Notifications(databaseUrl, (err) => logger.warn({ err }, 'the database connection that listens was lost')),
    },
    { provide: JOB_QUEUE, inject: [CONFIG, LOGGER], useFactory: ({ queue }: WorkerConfig, logger: Logger) => openQueue(queue, { logger }) },
    { provide: Metrics, useFactory: () => new Metrics() },
    Draining,
    { provide: RegistryClients, inject: [CONFIG, LOGGER, Metrics], useFactory: clientsOfProcess },
    { provide: Outbox, inject: [Database], useFactory: (database: Database) => new Outbox(database) },
    { provide: TopologyRevisions, inject: [Database], useFactory: (database: Database) => new TopologyRevisions(database) },
  ],
  exports: [Database, Draining, Metrics, Notifications, JOB_QUEUE, RegistryClients, Outbox, TopologyRevisions],
})
export class InfrastructureModule implements OnApplicationShutdown {
  readonly #database: Database;
  readonly #notifications: Notifications;
  readonly #queue: JobQueue;
  readonly #clients: RegistryClients;

  constructor(database: Database, notifications: Notifications, @Inject(JOB_QUEUE) queue: JobQueue, clients: RegistryClients) {
    this.#database = database;
    this.#notifications = notifications;
    this.#queue = queue;
    this.#clients = clients;
  }

  static with({ config, logger }: InfrastructureParts): DynamicModule {
    return {
      module: InfrastructureModule,
      providers: [
        { provide: CONFIG, useValue: config },
        { provide: LOGGER, useValue: logger },
      ],
      exports: [CONFIG, LOGGER],
    };
  }

  /** Every consumer and loop has ended by now (`onModuleDestroy`). */
  async onApplicationShutdown(): Promise<void> {
    await this.#queue.close();
    await this.#notifications.close();
    this.#clients.close();
    await this.#database.close();
  }
}
