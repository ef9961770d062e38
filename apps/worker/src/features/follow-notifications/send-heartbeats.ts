import { ContentError } from '@waybill/oci-model';
import type { Logger } from '@waybill/observability';
import type { Heartbeat, NotificationFeeds } from '@waybill/persistence';
import { LeasedWork } from '../../infrastructure/leased-work.js';
import type { ToldRegistries } from './told-registries.js';

export interface SendHeartbeatsOptions {
  readonly feeds: Pick<NotificationFeeds, 'beginBeat' | 'answered' | 'unanswered' | 'missing'>;
  readonly registries: Pick<ToldRegistries, 'beat'>;
  readonly locations: readonly string[] | 'all';
  /** How many registries at once. */
  readonly concurrency: number;
  readonly logger: Logger;
}

/** Makes registries tell of something, so that it is noticed when they do not. */
export class SendHeartbeats {
  readonly #options: SendHeartbeatsOptions;
  readonly #work = new LeasedWork();

  constructor(options: SendHeartbeatsOptions) {
    this.#options = options;
  }

  /** Begins one if there is room and one is due; gives how many it began. `onEnd` is called when it has ended. */
  async begin(onEnd: () => void): Promise<0 | 1> {
    const { feeds, locations, concurrency } = this.#options;
    if (!this.#work.mayBegin(concurrency)) return 0;
    const heartbeat = await feeds.beginBeat(locations);
    if (heartbeat === undefined) return 0;
    this.#work.begin(this.#send(heartbeat), onEnd);
    return 1;
  }

  close(): Promise<void> {
    return this.#work.close();
  }

  /** Never rejects. One whose end cannot be written is as one of a worker that died. */
  async #send(heartbeat: Heartbeat): Promise<void> {
    const { feeds, registries, logger } = this.#options;
    if (heartbeat.manifest === undefined) return;
    const where = { registry: heartbeat.registry.name, heartbeat: heartbeat.id };
    try {
      await registries.beat(heartbeat, this.#work.shutdown);
      await feeds.answered(heartbeat);
    } catch (err) {
      if (!(err instanceof ContentError)) logger.error({ ...where, err }, 'a heartbeat broke off');
      else if (!this.#work.shutdown.aborted) logger.warn({ ...where, err }, 'the registry did not serve a heartbeat');
      const isMissing = err instanceof ContentError && err.code === 'not-found';
      await (isMissing ? feeds.missing(heartbeat) : feeds.unanswered(heartbeat)).catch(() => undefined);
    }
  }
}
