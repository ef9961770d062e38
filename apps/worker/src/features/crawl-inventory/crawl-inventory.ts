import { setMaxListeners } from 'node:events';
import { type CrawlFailure, crawlRegistry, type InventoriedRegistry } from '@waybill/inventory';
import { systemClock } from '@waybill/kernel';
import { ContentError } from '@waybill/oci-model';
import type { Logger } from '@waybill/observability';
import type { CrawlLease, CrawlLeases, CrawlSchedules, LoadedCrawl } from '@waybill/persistence';
import { isLeaseLost, keepLease } from '../../infrastructure/keep-lease.js';
import { LeasedWork } from '../../infrastructure/leased-work.js';

/** A registry that can be looked at, as the topology says that it is reached. */
export interface OpenedRegistry {
  readonly registry: InventoriedRegistry;
  readonly mayListReferrers: boolean;
}

export interface CrawlInventoryOptions {
  readonly leases: Pick<CrawlLeases, 'claimNext' | 'load' | 'renew' | 'release' | 'finish'>;
  readonly schedules: Pick<CrawlSchedules, 'beginDue'>;
  readonly leaseMs: number;
  /** `onRequest` is told the method of every request. Undefined when the topology has no such registry any more; rejects with ContentError when it cannot be reached. */
  readonly open: (crawl: LoadedCrawl, onRequest: (method: string) => void) => Promise<OpenedRegistry | undefined>;
  /** Where this worker looks from. */
  readonly locations: readonly string[] | 'all';
  /** Names this process in leases. */
  readonly workerId: string;
  /** How many registries at once. */
  readonly concurrency: number;
  readonly logger: Logger;
}

/** Takes registries whose time has come, some at once, and writes down what they hold. */
export class CrawlInventory {
  readonly #options: CrawlInventoryOptions;
  readonly #work = new LeasedWork();

  constructor(options: CrawlInventoryOptions) {
    this.#options = options;
  }

  /** Begins one crawl if there is room and one waits or is due; gives how many it began. `onEnd` is called when it has ended. */
  async begin(onEnd: () => void): Promise<0 | 1> {
    const { schedules, leases, locations, workerId, concurrency } = this.#options;
    if (!this.#work.mayBegin(concurrency)) return 0;
    await schedules.beginDue(locations);
    const since = systemClock.monotonic();
    const lease = await leases.claimNext(locations, workerId);
    if (lease === undefined) return 0;
    this.#work.begin(this.#run(lease, since), onEnd);
    return 1;
  }

  /** Ends what is under way and hands it over: the next worker goes on with the repositories that are left. */
  close(): Promise<void> {
    return this.#work.close();
  }

  /** Never rejects. */
  async #run(lease: CrawlLease, since: number): Promise<void> {
    const { leases, leaseMs } = this.#options;
    const keeper = keepLease({ renew: () => leases.renew(lease), leaseMs, since, shutdown: this.#work.shutdown });
    setMaxListeners(0, keeper.signal); // each of the many small reads listens to it
    try {
      const crawl = await leases.load(lease);
      await this.#finish(lease, crawl, await this.#crawl(crawl, keeper.signal));
    } catch (err) {
      await this.#giveUp(lease, err);
    } finally {
      await keeper.stop();
    }
  }

  async #crawl(crawl: LoadedCrawl, signal: AbortSignal): Promise<CrawlFailure> {
    const { records, isReplaced } = crawl;
    const onRequest = (method: string): void => records.countRequest(method);
    try {
      const opened = isReplaced ? undefined : await this.#options.open(crawl, onRequest);
      return opened === undefined ? replaced : await crawlRegistry({ ...opened, records }, signal);
    } catch (error) {
      if (signal.aborted || !(error instanceof ContentError)) throw error;
      return { code: error.code, message: error.message };
    }
  }

  async #finish(lease: CrawlLease, { registry, kind, records }: LoadedCrawl, failure: CrawlFailure): Promise<void> {
    const { leases, logger } = this.#options;
    const { requests, found } = records.tally;
    const what = { crawlId: lease.crawlId, registry, kind, requests, found };
    if (!(await leases.finish(lease, records.tally, failure))) logger.warn(what, 'the crawl was taken over');
    else if (failure !== undefined) logger.warn({ ...what, problem: failure }, 'the registry could not be crawled');
    else logger.info(what, 'crawled the registry');
  }

  async #giveUp(lease: CrawlLease, err: unknown): Promise<void> {
    const { leases, logger } = this.#options;
    const where = { crawlId: lease.crawlId };
    try {
      if (this.#work.shutdown.aborted) {
        logger.info(where, 'the crawl is handed over');
        await leases.release(lease);
        return;
      }
    } catch (cause) {
      logger.warn({ ...where, err: cause }, 'the crawl could not be handed over: its lease ends by itself');
      return;
    }
    if (isLeaseLost(err)) logger.warn(where, 'the crawl was taken over');
    else logger.error({ ...where, err }, 'the crawl broke off'); // its lease ends, and another worker goes on
  }
}

const replaced = {
  code: 'registry-replaced',
  message: 'the name means another registry by now, which has a schedule of its own',
} as const;
