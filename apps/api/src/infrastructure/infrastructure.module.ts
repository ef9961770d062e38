import { type DynamicModule, Global, Inject, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { ApiConfig } from '@waybill/config';
import { type Logger, Metrics } from '@waybill/observability';
import {
  ApiKeys,
  ArtifactReadModel,
  Database,
  IdempotencyKeys,
  PromotionReadModel,
  PromotionWriter,
  ProvenanceChain,
  RegistryChecks,
  TopologyRevisions,
} from '@waybill/persistence';
import { clientsOfProcess, RegistryClients } from '@waybill/registry-clients';
import { ensureAdminKey } from './ensure-admin-key.js';
import { CONFIG, LOGGER } from './tokens.js';

const maxConnections = 16;

const stores = [
  TopologyRevisions,
  ApiKeys,
  IdempotencyKeys,
  PromotionWriter,
  PromotionReadModel,
  ArtifactReadModel,
  ProvenanceChain,
  RegistryChecks,
] as const;

export interface InfrastructureParts {
  readonly config: ApiConfig;
  readonly logger: Logger;
}

/** What every feature of the API stands on. */
@Global()
@Module({
  providers: [
    { provide: Database, inject: [CONFIG], useFactory: ({ databaseUrl }: ApiConfig) => new Database(databaseUrl, { maxConnections }) },
    { provide: Metrics, useFactory: () => new Metrics() },
    { provide: RegistryClients, inject: [CONFIG, LOGGER, Metrics], useFactory: clientsOfProcess },
    ...stores.map((Store) => ({ provide: Store, inject: [Database], useFactory: (database: Database) => new Store(database) })),
  ],
  exports: [Database, Metrics, RegistryClients, ...stores],
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
    if (this.#config.adminKey !== undefined) await ensureAdminKey(this.#keys, this.#config.adminKey);
  }

  async onApplicationShutdown(): Promise<void> {
    this.#clients.close();
    await this.#database.close();
  }
}
