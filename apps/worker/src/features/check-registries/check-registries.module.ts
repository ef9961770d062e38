import { hostname } from 'node:os';
import { type BeforeApplicationShutdown, Inject, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import type { WorkerConfig } from '@waybill/config';
import type { Logger } from '@waybill/observability';
import { CheckLeases, Database, Notifications } from '@waybill/persistence';
import { checkRegistry, RegistryClients } from '@waybill/registry-clients';
import { answersWithin } from '../../infrastructure/answers-within.js';
import { CONFIG, LOGGER } from '../../infrastructure/tokens.js';
import { WokenLoop } from '../../infrastructure/woken-loop.js';
import { CheckRegistries } from './check-registries.js';

/** A notification wakes it; the tick is for checks whose worker died. */
const tickMs = 2_000;
const concurrency = 4;

@Module({
  providers: [
    {
      provide: CheckRegistries,
      inject: [CONFIG, LOGGER, Database, RegistryClients],
      useFactory: ({ locations, dispatchLeaseMs: leaseMs }: WorkerConfig, logger: Logger, database: Database, clients: RegistryClients) =>
        new CheckRegistries({
          leases: new CheckLeases(database, { leaseMs }),
          leaseMs,
          check: ({ registry, address, leavesBehind }, signal) => checkRegistry(clients, registry, { address, leavesBehind, signal }),
          locations,
          workerId: `${hostname()}:${process.pid}`,
          concurrency,
          logger,
        }),
    },
  ],
})
export class CheckRegistriesModule implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown {
  readonly #checks: CheckRegistries;
  readonly #notifications: Notifications;
  readonly #loop: WokenLoop;
  readonly #drainMs: number;
  #drained: Promise<boolean> = Promise.resolve(true);

  constructor(
    @Inject(CheckRegistries) checks: CheckRegistries,
    notifications: Notifications,
    @Inject(CONFIG) { drainMs }: WorkerConfig,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.#checks = checks;
    this.#notifications = notifications;
    this.#drainMs = drainMs;
    this.#loop = new WokenLoop(() => checks.begin(() => this.#loop.wake()), logger.child({ work: 'check-registries' }));
  }

  onApplicationBootstrap(): void {
    this.#notifications.on('registryCheck', () => this.#loop.wake());
  }

  @Interval(tickMs)
  tick(): void {
    this.#loop.wake();
  }

  /** Ends the checks and waits for none of them: the runs, whose feature is told after this one, drain in the same time. */
  async onModuleDestroy(): Promise<void> {
    await this.#loop.close();
    this.#drained = answersWithin(this.#drainMs, this.#checks.close());
  }

  /** What does not clean up in time is left to the next check. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.#drained;
  }
}
