import { Inject, Module, type OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import type { Logger } from '@waybill/observability';
import { Database, IdempotencyKeys, Schedules } from '@waybill/persistence';
import { LOGGER } from '../../infrastructure/tokens.js';
import { WokenLoop } from '../../infrastructure/woken-loop.js';
import { PurgeIdempotencyKeys } from './purge-idempotency-keys.js';

const tickMs = 30_000;

@Module({})
export class PurgeIdempotencyKeysModule implements OnModuleDestroy {
  readonly #loop: WokenLoop;

  constructor(database: Database, @Inject(LOGGER) logger: Logger) {
    const purgeIdempotencyKeys = new PurgeIdempotencyKeys(new Schedules(database), new IdempotencyKeys(database));
    this.#loop = new WokenLoop(() => purgeIdempotencyKeys.purge(), logger.child({ work: 'purge-idempotency-keys' }));
  }

  @Interval(tickMs)
  tick(): void {
    this.#loop.wake();
  }

  onModuleDestroy(): Promise<void> {
    return this.#loop.close();
  }
}
