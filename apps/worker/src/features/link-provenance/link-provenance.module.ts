import { Inject, Module, type OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import type { Logger } from '@waybill/observability';
import { Database, ProvenanceChain } from '@waybill/persistence';
import { LOGGER } from '../../infrastructure/tokens.js';
import { WokenLoop } from '../../infrastructure/woken-loop.js';

/** Nobody waits for a link: records are linked by the batch, so that promotions have the database for themselves. */
const tickMs = 500;

/** The sequencer: links what was appended to the record. Of many workers one links at a time. */
@Module({
  providers: [{ provide: ProvenanceChain, inject: [Database], useFactory: (database: Database) => new ProvenanceChain(database) }],
})
export class LinkProvenanceModule implements OnModuleDestroy {
  readonly #loop: WokenLoop;

  constructor(chain: ProvenanceChain, @Inject(LOGGER) logger: Logger) {
    this.#loop = new WokenLoop(() => chain.linkPending(), logger.child({ work: 'link-provenance' }));
  }

  @Interval(tickMs)
  tick(): void {
    this.#loop.wake();
  }

  onModuleDestroy(): Promise<void> {
    return this.#loop.close();
  }
}
