import { systemClock } from '@waybill/kernel';
import type { Logger } from '@waybill/observability';
import {
  closeRun,
  type Database,
  type DispatchLease,
  DispatchLeases,
  type DispatchMessage,
  type LoadedRun,
  loadRun,
  PrismaRunJournal,
  RegistryChecks,
} from '@waybill/persistence';
import { type ContentCopier, PromotionError, type RetryPolicy, runLocation, type RunPorts } from '@waybill/promotion';
import { withProbedCapabilities } from '@waybill/topology';
import { keepLease } from '../../infrastructure/keep-lease.js';

export interface RunPromotionOptions {
  readonly database: Database;
  /** Reaches the registries of a run, as its topology declares them. */
  readonly copierOf: (run: LoadedRun) => ContentCopier;
  readonly logger: Logger;
  /** Names this process in leases. */
  readonly workerId: string;
  readonly leaseMs: number;
  readonly retry: RetryPolicy;
}

/** Runs what one promotion has to do at one location. */
export class RunPromotion {
  readonly #options: RunPromotionOptions;
  readonly #leases: DispatchLeases;
  readonly #checks: RegistryChecks;

  constructor(options: RunPromotionOptions) {
    this.#options = options;
    this.#leases = new DispatchLeases(options.database, { leaseMs: options.leaseMs });
    this.#checks = new RegistryChecks(options.database);
  }

  /**
   * Does nothing when the message's dispatch is not the current one or another worker runs it.
   * When `signal` is aborted the lease is given up, and another worker goes on.
   */
  async run(message: DispatchMessage, signal: AbortSignal): Promise<void> {
    const { logger, workerId, leaseMs } = this.#options;
    const since = systemClock.monotonic();
    const lease = await this.#leases.claim(message, workerId);
    if (lease === undefined) {
      logger.debug({ ...message }, 'nothing to run for this dispatch');
      return;
    }
    const keeper = keepLease({ renew: () => this.#leases.renew(lease), leaseMs, since, shutdown: signal });
    try {
      await this.#runLocation(lease, keeper.signal);
      await closeRun(this.#options.database, lease);
    } catch (err) {
      await this.#giveUp(lease, err, signal);
    } finally {
      await keeper.stop();
    }
  }

  async #runLocation(lease: DispatchLease, signal: AbortSignal): Promise<void> {
    const { database, copierOf, leaseMs, retry } = this.#options;
    const loaded = await loadRun(database, lease.promotionId, lease.location);
    if (loaded === undefined) return;
    const topology = withProbedCapabilities(loaded.topology, await this.#checks.knownCapabilities());
    const ports: RunPorts = {
      copier: copierOf({ ...loaded, topology }),
      journal: new PrismaRunJournal(database, lease, { tagLeaseMs: leaseMs }),
      retry,
    };
    await runLocation(loaded.run, ports, signal);
  }

  /** A lost lease is somebody else's run now; everything else is handed back, to be run again. */
  async #giveUp(lease: DispatchLease, err: unknown, shutdown: AbortSignal): Promise<void> {
    const { logger } = this.#options;
    const where = { promotionId: lease.promotionId, location: lease.location };
    if (err instanceof PromotionError && err.code === 'lease-lost') {
      logger.warn(where, 'the run was taken over');
      return;
    }
    if (shutdown.aborted) {
      logger.info(where, 'the run is handed over');
      await this.#leases.release(lease);
      return;
    }
    // The lease is left to expire: what broke now is tried again, but not at once.
    logger.error({ ...where, err }, 'the run broke off');
  }
}
