import { type DynamicModule, Global, Inject, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { ApiConfig } from '@waybill/config';
import { type Logger, Metrics } from '@waybill/observability';
import {
  ApiKeys,
  ArtifactReadModel,
  Database,
  EventLog,
  IdempotencyKeys,
  Notifications,
  Pauses,
  type PoolWatch,
  Principals,
  PromotionControl,
  PromotionReadModel,
  PromotionWriter,
  ProvenanceChain,
  RegistryChecks,
  TopologyRevisions,
  untilDatabaseAnswers,
} from '@waybill/persistence';
import { clientsOfProcess, RegistryClients } from '@waybill/registry-clients';
import { Draining } from './draining.js';
import { ensureAdminKey } from './ensure-admin-key.js';
import { CONFIG, LOGGER } from './tokens.js';

/** A database that hangs, as a stopped or frozen one does, is told to the client before its own patience ends. */
const databaseLimits = { maxConnections: 16, statementTimeoutMs: 8_000 };

const stores = [
  TopologyRevisions,
  ApiKeys,
  IdempotencyKeys,
  PromotionWriter,
  PromotionReadModel,
  ArtifactReadModel,
  ProvenanceChain,
  Principals,
  RegistryChecks,
  EventLog,
  PromotionControl,
  Pauses,
] as const;

export interface InfrastructureParts {
  readonly config: ApiConfig;
  readonly logger: Logger;
}

/** Requests are answered with 503 meanwhile. */
function watchOf(logger: Logger): PoolWatch {
  return {
    onLost: (err) => logger.warn({ err }, 'the connections to the database were lost'),
    onBack: () => logger.info('the database answers again'),
  };
}

/** What every feature of the API stands on. */
@Global()
@Module({
  providers: [
    {
      provide: Database,
      inject: [CONFIG, LOGGER],
      useFactory: ({ databaseUrl }: ApiConfig, logger: Logger) => new Database(databaseUrl, { ...databaseLimits, ...watchOf(logger) }),
    },
    {
      provide: Notifications,
      inject: [CONFIG, LOGGER],
      useFactory: ({ databaseUrl }: ApiConfig, logger: Logger) =>
        new Notifications(databaseUrl, (err) => logger.warn({ err }, 'the database connection that listens was lost')),
    },
    { provide: Metrics, useFactory: () => new Metrics() },
    { provide: Draining, inject: [CONFIG], useFactory: (config: ApiConfig) => new Draining(config) },
    { provide: RegistryClients, inject: [CONFIG, LOGGER, Metrics], useFactory: clientsOfProcess },
    ...stores.map((Store) => ({ provide: Store, inject: [Database], useFactory: (database: Database) => new Store(database) })),
  ],
  exports: [Database, Draining, Notifications, Metrics, RegistryClients, ...stores],
})
export class InfrastructureModule implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #config: ApiConfig;
  readonly #database: Database;
  readonly #notifications: Notifications;
  readonly #clients: RegistryClients;
  readonly #keys: ApiKeys;
  readonly #logger: Logger;

  constructor(
    @Inject(CONFIG) config: ApiConfig,
    database: Database,
    notifications: Notifications,
    clients: RegistryClients,
    keys: ApiKeys,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.#config = config;
    this.#database = database;
    this.#notifications = notifications;
    this.#clients = clients;
    this.#keys = keys;
    this.#logger = logger;
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

  async onApplicationBootstrap(): Promise<void> {
    const { adminKey } = this.#config;
    if (adminKey !== undefined) {
      await untilDatabaseAnswers(() => ensureAdminKey(this.#keys, adminKey), {
        onAway: (err) => this.#logger.warn({ err }, 'the api waits for the database'),
      });
    }
    // By now every feature has registered what it listens to.
    this.#notifications.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#notifications.close();
    this.#clients.close();
    await this.#database.close();
  }
}
