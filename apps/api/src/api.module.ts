import type { Server } from 'node:http';
import {
  type BeforeApplicationShutdown,
  type DynamicModule,
  Module,
  type OnApplicationShutdown,
  type OnModuleDestroy,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, HttpAdapterHost } from '@nestjs/core';
import { ArtifactsModule } from './features/artifacts/artifacts.module.js';
import { CollectionsModule } from './features/collections/collections.module.js';
import { DocumentationModule } from './features/documentation/documentation.module.js';
import { EventsModule } from './features/events/events.module.js';
import { HealthModule } from './features/health/health.module.js';
import { InventoryModule } from './features/inventory/inventory.module.js';
import { KeysModule } from './features/keys/keys.module.js';
import { MetricsModule } from './features/metrics/metrics.module.js';
import { PausesModule } from './features/pauses/pauses.module.js';
import { PromotionsModule } from './features/promotions/promotions.module.js';
import { RegistriesModule } from './features/registries/registries.module.js';
import { RegistryChecksModule } from './features/registry-checks/registry-checks.module.js';
import { RegistryNotificationsModule } from './features/registry-notifications/registry-notifications.module.js';
import { TopologyModule } from './features/topology/topology.module.js';
import { InUseModule } from './features/in-use/in-use.module.js';
import { RetentionModule } from './features/retention/retention.module.js';
import { TrashModule } from './features/trash/trash.module.js';
import { AuthenticateGuard } from './http/authenticate.guard.js';
import { ProblemFilter } from './http/problem.filter.js';
import { ReadBodyInterceptor } from './http/read-body.interceptor.js';
import { Draining } from './infrastructure/draining.js';
import { InfrastructureModule, type InfrastructureParts } from './infrastructure/infrastructure.module.js';

@Module({
  imports: [
    PromotionsModule,
    PausesModule,
    EventsModule,
    ArtifactsModule,
    InventoryModule,
    RetentionModule,
    TrashModule,
    InUseModule,
    TopologyModule,
    RegistriesModule,
    RegistryChecksModule,
    RegistryNotificationsModule,
    CollectionsModule,
    KeysModule,
    HealthModule,
    MetricsModule,
    DocumentationModule,
  ],
  providers: [
    { provide: APP_GUARD, useClass: AuthenticateGuard },
    { provide: APP_INTERCEPTOR, useClass: ReadBodyInterceptor },
    { provide: APP_FILTER, useClass: ProblemFilter },
  ],
})
export class ApiModule implements OnModuleDestroy, BeforeApplicationShutdown, OnApplicationShutdown {
  readonly #draining: Draining;
  readonly #server: HttpAdapterHost;

  constructor(draining: Draining, server: HttpAdapterHost) {
    this.#draining = draining;
    this.#server = server;
  }

  static with(parts: InfrastructureParts): DynamicModule {
    return { module: ApiModule, imports: [InfrastructureModule.with(parts)] };
  }

  /** Before any feature ends: this module is the first of all. */
  async onModuleDestroy(): Promise<void> {
    await this.#draining.announce();
  }

  beforeApplicationShutdown(): void {
    this.#draining.endConnections(this.#server.httpAdapter.getHttpServer() as Server);
  }

  onApplicationShutdown(): void {
    this.#draining.ended();
  }
}
