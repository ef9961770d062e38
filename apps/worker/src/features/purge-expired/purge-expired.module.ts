import { Inject, Module, type OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import type { Logger } from '@waybill/observability';
import { Database, EventLog, IdempotencyKeys, NotificationIntake, Schedules } from '@waybill/persistence';
import { LOGGER } from '../../infrastructure/tokens.js';
import { WokenLoop } from '../../infrastructure/woken-loop.js';
import { PurgeExpired } from './purge-expired.js';

const tickMs = 30_000;

/** Keeps tables small whose rows are of use for a time only. */
@Module({})
export class PurgeExpiredModule implements OnModuleDestroy {
  readonly #loops: readonly WokenLoop[];

  constructor(database: Database, @Inject(LOGGER) logger: Logger) {
    const kept = {
      'purge-idempotency-keys': new IdempotencyKeys(database),
      'purge-events': new EventLog(database),
      'purge-notification-events': new NotificationIntake(database),
    };
    this.#loops = Object.entries(kept).map(([schedule, store]) => {
      const purgeExpired = new PurgeExpired(new Schedules(database), schedule, store);
      return new WokenLoop(() => purgeExpired.purge(), logger.child({ work: schedule }));
    });
  }

  @Interval(tickMs)
  tick(): void {
    for (const loop of this.#loops) loop.wake();
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.close()));
  }
}
