import { Inject, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import type { Logger } from '@waybill/observability';
import { Database, Notifications, ProvenanceChain } from '@waybill/persistence';
import { LOGGER } from '../../infrastructure/tokens.js';
import { WokenLoop } from '../../infrastructure/woken-loop.js';

/** A notification wakes it; the tick is for those that were missed. */
const tickMs = 1_000;

/** The sequencer: links what was appended to the record. Of many workers one links at a time. */
@Module({})
export class LinkProvenanceModule implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #loop: WokenLoop;
  readonly #notifications: Notifications;

  constructor(database: Database, notifications: Notifications, @Inject(LOGGER) logger: Logger) {
    const chain = new ProvenanceChain(database);
    this.#loop = new WokenLoop(() => chain.linkPending(), logger.child({ work: 'link-provenance' }));
    this.#notifications = notifications;
  }

  onApplicationBootstrap(): void {
    this.#notifications.on('provenance', () => this.#loop.wake());
  }

  @Interval(tickMs)
  tick(): void {
    this.#loop.wake();
  }

  onModuleDestroy(): Promise<void> {
    return this.#loop.close();
  }
}
