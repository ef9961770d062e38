import { Inject, Module, type OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import type { Logger } from '@waybill/observability';
import { Outbox } from '@waybill/persistence';
import { LOGGER } from '../../infrastructure/tokens.js';
import { WokenLoop } from '../../infrastructure/woken-loop.js';

const tickMs = 500;

/** Sends again what is due: retries, runs whose worker died, jobs that the queue lost. */
@Module({})
export class RedispatchDueModule implements OnModuleDestroy {
  readonly #loop: WokenLoop;

  constructor(outbox: Outbox, @Inject(LOGGER) logger: Logger) {
    this.#loop = new WokenLoop(() => outbox.redispatchDue(), logger.child({ work: 'redispatch-due' }));
  }

  @Interval(tickMs)
  tick(): void {
    this.#loop.wake();
  }

  onModuleDestroy(): Promise<void> {
    return this.#loop.close();
  }
}
