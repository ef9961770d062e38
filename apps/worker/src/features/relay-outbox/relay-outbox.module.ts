import { Inject, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import type { Logger } from '@waybill/observability';
import { Notifications, Outbox } from '@waybill/persistence';
import type { JobQueue } from '@waybill/queue';
import { JOB_QUEUE, LOGGER } from '../../infrastructure/tokens.js';
import { WokenLoop } from '../../infrastructure/woken-loop.js';
import { RelayOutbox } from './relay-outbox.js';

/** A notification wakes it; the tick is for those that were missed. */
const tickMs = 1_000;

@Module({})
export class RelayOutboxModule implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #loop: WokenLoop;
  readonly #notifications: Notifications;

  constructor(outbox: Outbox, notifications: Notifications, @Inject(JOB_QUEUE) queue: JobQueue, @Inject(LOGGER) logger: Logger) {
    const relayOutbox = new RelayOutbox(outbox, queue);
    this.#loop = new WokenLoop(() => relayOutbox.relay(), logger.child({ work: 'relay-outbox' }));
    this.#notifications = notifications;
  }

  onApplicationBootstrap(): void {
    this.#notifications.on('outbox', () => this.#loop.wake());
  }

  @Interval(tickMs)
  tick(): void {
    this.#loop.wake();
  }

  onModuleDestroy(): Promise<void> {
    return this.#loop.close();
  }
}
