import { Inject, Module, type OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import type { Logger } from '@waybill/observability';
import { Database, IdempotencyKeys, Schedules } from '@waybill/persistence';
import { LOGGER } from '../../infrastructure/tokens.js';
import { WokenLoop } from '../../infrastructure/woken-loop.js';

const tickMs = 30_000;

/** Removes Idempotency-Keys that are past their 24 hours; the schedule's row lets one worker do it. */
@Module({})
export class PurgeIdempotencyKeysModule implements OnModuleDestroy {
  readonly #loop: WokenLoop;
  readonly #schedules: Schedules;
  readonly #logger: Logger;

  constructor(database: Database, @Inject(LOGGER) logger: Logger) {
    const keys = new IdempotencyKeys(database);
    this.#schedules = new Schedules(database);
    this.#logger = logger.child({ work: 'purge-idempotency-keys' });
    this.#loop = new WokenLoop(() => keys.purge(), this.#logger);
  }

  @Interval(tickMs)
  async tick(): Promise<void> {
    try {
      if (await this.#schedules.claim('purge-idempotency-keys')) this.#loop.wake();
    } catch (err) {
      this.#logger.warn({ err }, 'the schedule could not be read');
    }
  }

  onModuleDestroy(): Promise<void> {
    return this.#loop.close();
  }
}
