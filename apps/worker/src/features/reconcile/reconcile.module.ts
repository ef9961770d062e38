import { Inject, Module, type OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import type { WorkerConfig } from '@waybill/config';
import { type Logger, Metrics } from '@waybill/observability';
import { Database, Leftovers, OpenEffects, TopologyRevisions } from '@waybill/persistence';
import { RegistryClients } from '@waybill/registry-clients';
import { CONFIG, LOGGER } from '../../infrastructure/tokens.js';
import { WokenLoop } from '../../infrastructure/woken-loop.js';
import { Reconcile } from './reconcile.js';
import { reconcileMetrics } from './reconcile-metrics.js';
import { RegistryEffects } from './registry-effects.js';

/** What is left over has waited for its worker to die: nobody misses it within seconds. */
const tickMs = 5_000;

@Module({
  providers: [
    { provide: OpenEffects, inject: [Database], useFactory: (database: Database) => new OpenEffects(database) },
    { provide: Leftovers, inject: [Database], useFactory: (database: Database) => new Leftovers(database) },
    {
      provide: Reconcile,
      inject: [CONFIG, LOGGER, Metrics, OpenEffects, Leftovers, RegistryClients, TopologyRevisions],
      useFactory: (
        { locations }: WorkerConfig,
        logger: Logger,
        metrics: Metrics,
        effects: OpenEffects,
        leftovers: Leftovers,
        clients: RegistryClients,
        revisions: TopologyRevisions,
      ) =>
        new Reconcile({
          effects,
          leftovers,
          openRegistries: async () => new RegistryEffects(clients, await activeTopology(revisions)),
          locations,
          reconciled: reconcileMetrics(metrics),
          logger,
        }),
    },
  ],
})
export class ReconcileModule implements OnModuleDestroy {
  readonly #reconcile: Reconcile;
  readonly #loop: WokenLoop;

  constructor(@Inject(Reconcile) reconcile: Reconcile, @Inject(LOGGER) logger: Logger) {
    this.#reconcile = reconcile;
    this.#loop = new WokenLoop(() => reconcile.round(), logger.child({ work: 'reconcile' }));
  }

  @Interval(tickMs)
  tick(): void {
    this.#loop.wake();
  }

  async onModuleDestroy(): Promise<void> {
    this.#reconcile.stop();
    await this.#loop.close();
  }
}

/** There is one: effects come from promotions, and these from a topology. */
async function activeTopology(revisions: TopologyRevisions) {
  const active = await revisions.active();
  if (active === undefined) throw new Error('no topology is active');
  return active.topology;
}
