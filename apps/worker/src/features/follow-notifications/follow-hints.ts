import { setMaxListeners } from 'node:events';
import { lookAtReferences } from '@waybill/inventory';
import { ContentError } from '@waybill/oci-model';
import type { Logger } from '@waybill/observability';
import type { ClaimedHints, NotificationHints } from '@waybill/persistence';
import { LeasedWork } from '../../infrastructure/leased-work.js';
import type { ToldRegistries } from './told-registries.js';

export interface FollowHintsOptions {
  readonly hints: Pick<NotificationHints, 'claim' | 'beginLook' | 'settle' | 'putOff'>;
  /** Whatever was claimed so long ago may be another worker's. */
  readonly leaseMs: number;
  readonly registries: Pick<ToldRegistries, 'open'>;
  readonly locations: readonly string[] | 'all';
  /** How many repositories at once. */
  readonly concurrency: number;
  readonly logger: Logger;
}

/** Asks registries about what they told of, and writes down what they say. */
export class FollowHints {
  readonly #options: FollowHintsOptions;
  readonly #work = new LeasedWork();

  constructor(options: FollowHintsOptions) {
    this.#options = options;
  }

  /** Begins with one repository if there is room and one is due; gives how many it began. `onEnd` is called when it has ended. */
  async begin(onEnd: () => void): Promise<0 | 1> {
    const { hints, locations, concurrency } = this.#options;
    if (!this.#work.mayBegin(concurrency)) return 0;
    const claimed = await hints.claim(locations);
    if (claimed === undefined) return 0;
    this.#work.begin(this.#follow(claimed), onEnd);
    return 1;
  }

  /** Ends what is under way: it is asked about another time. */
  close(): Promise<void> {
    return this.#work.close();
  }

  /** Never rejects. */
  async #follow(claimed: ClaimedHints): Promise<void> {
    const { hints, logger } = this.#options;
    const where = { registry: claimed.registry.name, repository: claimed.repository };
    try {
      await this.#look(claimed);
    } catch (err) {
      if (err instanceof ContentError) logger.warn({ ...where, err }, 'the registry could not be asked about what it told');
      else logger.error({ ...where, err }, 'asking about what a registry told broke off');
      await hints.putOff(claimed).catch(() => undefined); // its time comes by itself, a little later
    }
  }

  async #look(claimed: ClaimedHints): Promise<void> {
    const { hints, registries, leaseMs, logger } = this.#options;
    const { registry, repository } = claimed;
    const signal = AbortSignal.any([this.#work.shutdown, AbortSignal.timeout(leaseMs)]);
    setMaxListeners(0, signal); // each of the many small reads listens to it
    const opened = await registries.open(registry);
    if (opened === undefined) {
      await hints.putOff(claimed);
      return;
    }
    const look = await hints.beginLook(claimed);
    const { records, askedAt: now } = look;
    const found = await lookAtReferences({ ...look, reader: opened.repository(repository), records, now }, signal);
    await hints.settle(claimed, look, found);
    logger.debug({ registry: registry.name, repository, references: claimed.hints.length }, 'asked the registry about what it told');
  }
}
