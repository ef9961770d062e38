import { Global, Inject, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { type ApiConfig, environmentAndFolderSecrets, loadApiConfig } from '@waybill/config';
import { createLogger, type Logger } from '@waybill/observability';
import {
  ApiKeys,
  Database,
  IdempotencyKeys,
  PromotionReadModel,
  PromotionWriter,
  ProvenanceChain,
  TopologyRevisions,
} from '@waybill/persistence';
import { RegistryClients } from '@waybill/registry-clients';
import { ensureAdminKey } from './ensure-admin-key.js';
import { CONFIG, LOGGER } from './tokens.js';

const maxConnections = 16;

const stores = [TopologyRevisions, ApiKeys, IdempotencyKeys, PromotionWriter, PromotionReadModel, ProvenanceChain] as const;

/** What every feature of the API stands on. */
@Global()
@Module({
  providers: [
    { provide: CONFIG, useFactory: () => loadApiConfig() },
    { provide: LOGGER, inject: [CONFIG], useFactory: ({ logLevel }: ApiConfig) => createLogger({ name: 'api', level: logLevel }) },
    {
      provide: Database,
      inject: [CONFIG, LOGGER],
      useFactory: ({ databaseUrl, logLevel }: ApiConfig, logger: Logger) =>
        new Database(databaseUrl, {
          maxConnections,
          // The client builds an event for every statement: only when somebody reads it.
          ...(logLevel === 'trace' ? { onStatement: (statement) => logger.trace({ statement }, 'statement') } : {}),
        }),
    },
    {
      provide: RegistryClients,
      inject: [CONFIG, LOGGER],
      useFactory: ({ secrets }: ApiConfig, logger: Logger) =>
        new RegistryClients({
          secrets: environmentAndFolderSecrets(secrets),
          client: { observe: (event) => logger.debug({ ...event }, 'registry request') },
        }),
    },
    ...stores.map((Store) => ({ provide: Store, inject: [Database], useFactory: (database: Database) => new Store(database) })),
  ],
  exports: [CONFIG, LOGGER, Database, RegistryClients, ...stores],
})
export class InfrastructureModule implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #config: ApiConfig;
  readonly #database: Database;
  readonly #clients: RegistryClients;
  readonly #keys: ApiKeys;

  constructor(@Inject(CONFIG) config: ApiConfig, database: Database, clients: RegistryClients, keys: ApiKeys) {
    this.#config = config;
    this.#database = database;
    this.#clients = clients;
    this.#keys = keys;
  }

  async onApplicationBootstrap(): Promise<void> {
    if (this.#config.adminKey !== undefined) await ensureAdminKey(this.#keys, this.#config.adminKey);
  }

  async onApplicationShutdown(): Promise<void> {
    this.#clients.close();
    await this.#database.close();
  }
}
