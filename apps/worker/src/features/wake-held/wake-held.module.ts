import { Inject, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import type { Logger } from '@waybill/observability';
import { Database, HeldTargets, Notifications } from '@waybill/persistence';
import { LOGGER } from '../../infrastructure/tokens.js';
import { WokenLoop } from '../../infrastructure/woken-loop.js';

/** A notification wakes it; the tick is for those that were missed, and for targets that were held as their pause ended. */
const tickMs = 1_000;

/** Sends what was held by a pause that has ended. */
@Module({
  providers: [{ provide: HeldTargets, inject: [Database], useFactory: (database: Database) => new HeldTargets(database) }],
})
export class WakeHeldModule implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #loop: WokenLoop;
  readonly #notifications: Notifications;

  constructor(held: HeldTargets, notifications: Notifications, @Inject(LOGGER) logger: Logger) {
    this.#loop = new WokenLoop(() => held.wake(), logger.child({ work: 'wake-held' }));
    this.#notifications = notifications;
  }

  onApplicationBootstrap(): void {
    this.#notifications.on('pause', () => this.#loop.wake());
  }

  @Interval(tickMs)
  tick(): void {
    this.#loop.wake();
  }

  onModuleDestroy(): Promise<void> {
    return this.#loop.close();
  }
}
