import { systemClock } from '@waybill/kernel';
import type { RegistryReport } from '@waybill/oci-model';
import { ContentError } from '@waybill/oci-model';
import type { Logger } from '@waybill/observability';
import { type CheckLease, type CheckLeases, type RegistryToCheck, type StoredError, storedError } from '@waybill/persistence';
import { isLeaseLost, keepLease } from '../../infrastructure/keep-lease.js';
import { LeasedWork } from '../../infrastructure/leased-work.js';

export interface CheckRegistriesOptions {
  readonly leases: CheckLeases;
  readonly leaseMs: number;
  /** Probes one registry; rejects with `aborted` when the signal is, and with ContentError when there is nothing to probe. */
  readonly check: (registry: RegistryToCheck, signal: AbortSignal) => Promise<RegistryReport>;
  /** Where this worker looks from. */
  readonly locations: readonly string[] | 'all';
  /** Names this process in leases. */
  readonly workerId: string;
  /** How many registries at once. */
  readonly concurrency: number;
  readonly logger: Logger;
}

/** Takes registries that are to be checked, some at once, and keeps what is found. */
export class CheckRegistries {
  readonly #options: CheckRegistriesOptions;
  readonly #work = new LeasedWork();

  constructor(options: CheckRegistriesOptions) {
    this.#options = options;
  }

  /** Begins one check if there is room and one waits; gives how many it began. `onEnd` is called when it has ended. */
  async begin(onEnd: () => void): Promise<0 | 1> {
    const { leases, locations, workerId, concurrency } = this.#options;
    if (!this.#work.mayBegin(concurrency)) return 0;
    const since = systemClock.monotonic();
    const lease = await leases.claimNext(locations, workerId);
    if (lease === undefined) return 0;
    this.#work.begin(this.#run(lease, since), onEnd);
    return 1;
  }

  /** Ends what is under way, hands it over, and resolves when the last has cleaned up after itself. */
  close(): Promise<void> {
    return this.#work.close();
  }

  /** Never rejects. */
  async #run(lease: CheckLease, since: number): Promise<void> {
    const { leases, leaseMs, logger } = this.#options;
    const where = { checkId: lease.checkId, registryId: lease.registryId };
    const keeper = keepLease({ renew: () => leases.renew(lease), leaseMs, since, shutdown: this.#work.shutdown });
    try {
      const isKept = await leases.finish(lease, await this.#look(lease, keeper.signal));
      if (!isKept) logger.warn(where, 'the check was taken over');
    } catch (err) {
      await this.#giveUp(lease, err);
    } finally {
      await keeper.stop();
    }
  }

  async #look(lease: CheckLease, signal: AbortSignal): Promise<{ readonly report: RegistryReport } | { readonly error: StoredError }> {
    const { leases, check } = this.#options;
    const registry = await leases.load(lease);
    if (registry === undefined || registry.isReplaced) return { error: replaced };
    try {
      return { report: await check(registry, signal) };
    } catch (error) {
      if (signal.aborted || !(error instanceof ContentError)) throw error;
      return { error: storedError(error) };
    }
  }

  async #giveUp(lease: CheckLease, err: unknown): Promise<void> {
    const { leases, logger } = this.#options;
    const where = { checkId: lease.checkId, registryId: lease.registryId };
    try {
      if (this.#work.shutdown.aborted) {
        logger.info(where, 'the check is handed over');
        await leases.release(lease);
        return;
      }
    } catch (cause) {
      logger.warn({ ...where, err: cause }, 'the check could not be handed over: its lease ends by itself');
      return;
    }
    if (isLeaseLost(err)) logger.warn(where, 'the check was taken over');
    else logger.error({ ...where, err }, 'the check broke off'); // its lease ends, and it is tried again
  }
}

const replaced: StoredError = {
  code: 'registry-replaced',
  message: 'the name means another registry since the check was asked for: ask again',
  operation: 'check registry',
  retryable: false,
};
