import { type DynamicModule, Module, type OnModuleDestroy } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { CheckRegistriesModule } from './features/check-registries/check-registries.module.js';
import { CollectModule } from './features/collect/collect.module.js';
import { CrawlInventoryModule } from './features/crawl-inventory/crawl-inventory.module.js';
import { FollowNotificationsModule } from './features/follow-notifications/follow-notifications.module.js';
import { HealthModule } from './features/health/health.module.js';
import { LinkProvenanceModule } from './features/link-provenance/link-provenance.module.js';
import { MetricsModule } from './features/metrics/metrics.module.js';
import { PurgeExpiredModule } from './features/purge-expired/purge-expired.module.js';
import { ReconcileModule } from './features/reconcile/reconcile.module.js';
import { RedispatchDueModule } from './features/redispatch-due/redispatch-due.module.js';
import { RelayOutboxModule } from './features/relay-outbox/relay-outbox.module.js';
import { RunPromotionModule } from './features/run-promotion/run-promotion.module.js';
import { RunRetentionModule } from './features/run-retention/run-retention.module.js';
import { TrashModule } from './features/trash/trash.module.js';
import { WakeHeldModule } from './features/wake-held/wake-held.module.js';
import { Draining } from './infrastructure/draining.js';
import { InfrastructureModule, type InfrastructureParts } from './infrastructure/infrastructure.module.js';

@Module({
  imports: [
    ScheduleModule.forRoot(),
    RunPromotionModule,
    CheckRegistriesModule,
    CollectModule,
    CrawlInventoryModule,
    FollowNotificationsModule,
    RunRetentionModule,
    TrashModule,
    RelayOutboxModule,
    RedispatchDueModule,
    ReconcileModule,
    WakeHeldModule,
    LinkProvenanceModule,
    PurgeExpiredModule,
    HealthModule,
    MetricsModule,
  ],
})
export class WorkerModule implements OnModuleDestroy {
  readonly #draining: Draining;

  constructor(draining: Draining) {
    this.#draining = draining;
  }

  static with(parts: InfrastructureParts): DynamicModule {
    return { module: WorkerModule, imports: [InfrastructureModule.with(parts)] };
  }

  /** Before any feature ends: this module is the first of all. */
  onModuleDestroy(): void {
    this.#draining.announce();
  }
}
