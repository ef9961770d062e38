import { systemClock } from '@waybill/kernel';
import type { Logger } from '@waybill/observability';
import type { DispatchLease, DispatchMessage, LoadedRun, PrismaRunJournal } from '@waybill/persistence';
import {
  type ContentCopier,
  endCancelledRun,
  isCancelled,
  PromotionError,
  type RetryPolicy,
  runLocation,
  type RunPorts,
  type RunWatch,
} from '@waybill/promotion';
import { keepLease } from '../../infrastructure/keep-lease.js';
import type { Cancellations } from './cancellations.js';
import type { RunRecords } from './run-records.js';

export interface RunPromotionOptions {
  readonly records: RunRecords;
  readonly cancellations: Pick<Cancellations, 'watch'>;
  /** Reaches the registries of a run, as its topology declares them. */
  readonly copierOf: (run: LoadedRun) => ContentCopier;
  /** Measures a run. */
  readonly watchOf?: (run: LoadedRun) => RunWatch;
  readonly logger: Logger;
  /** Names this process in leases. */
  readonly workerId: string;
  readonly leaseMs: number;
  readonly retry: RetryPolicy;
}

/** A run that this worker has claimed. */
interface OwnRun {
  readonly lease: DispatchLease;
  readonly journal: PrismaRunJournal;
}

/** Runs what one promotion has to do at one location. */
export class RunPromotion {
  readonly #options: RunPromotionOptions;

  constructor(options: RunPromotionOptions) {
    this.#options = options;
  }

  /**
   * Does nothing when the message's dispatch is not the current one or another worker runs it.
   * When `signal` is aborted the lease is given up, and another worker goes on. When the promotion is cancelled
   * everything is broken off, and what is left is ended.
   */
  async run(message: DispatchMessage, signal: AbortSignal): Promise<void> {
    const { records, cancellations, logger, workerId, leaseMs } = this.#options;
    const since = systemClock.monotonic();
    const lease = await records.claim(message, workerId);
    if (lease === undefined) {
      logger.debug({ ...message }, 'nothing to run for this dispatch');
      return;
    }
    const keeper = keepLease({ renew: () => records.renew(lease), leaseMs, since, shutdown: signal });
    const watch = cancellations.watch(lease.promotionId);
    const run: OwnRun = { lease, journal: records.journalOf(lease) };
    try {
      await this.#runLocation(run, keeper.signal, watch.signal);
      await records.close(lease);
    } catch (err) {
      await this.#giveUp(run, err, signal);
    } finally {
      watch.end();
      await keeper.stop();
    }
  }

  async #runLocation({ lease, journal }: OwnRun, signal: AbortSignal, cancellation: AbortSignal): Promise<void> {
    const { records, copierOf, watchOf, logger, retry } = this.#options;
    const loaded = await records.load(lease);
    if (loaded === undefined) return;
    const watch = watchOf?.(loaded);
    const ports: RunPorts = {
      copier: copierOf(loaded),
      journal,
      retry,
      ...(watch === undefined ? {} : { watch }),
    };
    if (!loaded.isCancelled && (await ranToItsEnd(loaded, { ...ports, cancellation }, signal))) return;
    logger.info({ promotionId: lease.promotionId, location: lease.location }, 'the promotion is cancelled: ending what is left');
    // Targets have ended meanwhile, and others are not even due.
    const left = await records.load(lease);
    if (left !== undefined) await endCancelledRun(left.run, ports, signal);
  }

  /** A lost lease is somebody else's run now; everything else is handed back, to be run again. */
  async #giveUp({ lease, journal }: OwnRun, err: unknown, shutdown: AbortSignal): Promise<void> {
    const { records, logger } = this.#options;
    const where = { promotionId: lease.promotionId, location: lease.location };
    if (err instanceof PromotionError && err.code === 'lease-lost') {
      logger.warn(where, 'the run was taken over');
      return;
    }
    if (shutdown.aborted) {
      logger.info(where, 'the run is handed over');
      await records.release(lease, journal.begun);
      return;
    }
    // The lease is left to expire: what broke now is tried again, but not at once.
    logger.error({ ...where, err }, 'the run broke off');
  }
}

/** False when it was cut short because the promotion is cancelled. */
async function ranToItsEnd({ run }: LoadedRun, ports: RunPorts, signal: AbortSignal): Promise<boolean> {
  try {
    await runLocation(run, ports, signal);
    return true;
  } catch (error) {
    if (isCancelled(error)) return false;
    throw error;
  }
}
