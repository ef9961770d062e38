import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import type { Logger } from '@waybill/observability';
import { Notifications } from '@waybill/persistence';
import { LOGGER } from '../../infrastructure/tokens.js';
import { WokenLoop } from '../../infrastructure/woken-loop.js';
import { Cancellations } from './cancellations.js';

/** A notification wakes it; the tick is for those that were missed, so that bytes stop within a second all the same. */
const tickMs = 1_000;

/** Stops runs whose promotion is cancelled, those too that are only drained when the worker ends. */
@Injectable()
export class WatchCancellations implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #loop: WokenLoop;
  readonly #notifications: Notifications;

  constructor(@Inject(Cancellations) cancellations: Cancellations, notifications: Notifications, @Inject(LOGGER) logger: Logger) {
    this.#loop = new WokenLoop(() => cancellations.look(), logger.child({ work: 'watch-cancellations' }));
    this.#notifications = notifications;
  }

  onApplicationBootstrap(): void {
    this.#notifications.on('cancellation', () => this.#loop.wake());
  }

  @Interval(tickMs)
  tick(): void {
    this.#loop.wake();
  }

  /** Every run has ended by now (`onModuleDestroy`). */
  beforeApplicationShutdown(): Promise<void> {
    return this.#loop.close();
  }
}
