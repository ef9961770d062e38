import { systemClock, type WaybillError } from '@waybill/kernel';
import { CopyError } from '@waybill/oci-copy';
import { ContentError } from '@waybill/oci-model';
import type { Logger } from '@waybill/observability';
import { type RestorableRow, type StoredError, storedError, type TrashRequestLease, type TrashRequestLeases } from '@waybill/persistence';
import { PromotionError } from '@waybill/promotion';
import { TrashError } from '@waybill/retention';
import { isLeaseLost, keepLease } from '../../infrastructure/keep-lease.js';
import type { TrashClients } from '../../infrastructure/trash/trash-clients.js';
import { restoreRepository } from './restore-repository.js';

export interface RunTrashRequestsOptions {
  readonly leases: Pick<
    TrashRequestLeases,
    'claimNext' | 'renew' | 'release' | 'nextRepository' | 'restorables' | 'manifestOf' | 'settleRestored' | 'note' | 'finish'
  >;
  readonly clients: Pick<TrashClients, 'open'>;
  readonly leaseMs: number;
  /** Before what could not be done now is tried again; longer each time. */
  readonly retryMs: number;
  /** Names this process in leases. */
  readonly workerId: string;
  readonly logger: Logger;
}

/** A request that could not be done so often is given up. */
const maxAttempts = 5;

/** Brings back from the trash what somebody asked for, one request at a time. */
export class RunTrashRequests {
  readonly #options: RunTrashRequestsOptions;
  readonly #shutdown = new AbortController();

  constructor(options: RunTrashRequestsOptions) {
    this.#options = options;
  }

  /** Gives how many it took up. */
  async run(): Promise<0 | 1> {
    const { leases, leaseMs, workerId } = this.#options;
    if (this.#shutdown.signal.aborted) return 0;
    const since = systemClock.monotonic();
    const lease = await leases.claimNext(workerId);
    if (lease === undefined) return 0;
    const keeper = keepLease({ renew: () => leases.renew(lease), leaseMs, since, shutdown: this.#shutdown.signal });
    try {
      await this.#restore(lease, keeper.signal);
    } catch (error) {
      await this.#giveUp(lease, error, keeper.signal);
    } finally {
      await keeper.stop();
    }
    return 1;
  }

  /** What is under way breaks off between two requests, and another worker goes on with it. */
  close(): void {
    this.#shutdown.abort(new Error('the worker is stopped'));
  }

  async #restore(lease: TrashRequestLease, signal: AbortSignal): Promise<void> {
    const { leases, clients, logger } = this.#options;
    const opened = await clients.open(lease.registryId);
    const ours = async (kept: Promise<boolean>): Promise<void> => {
      if (!(await kept)) throw leaseLost();
    };
    let again: StoredError | undefined;
    const onTrouble = async (entry: RestorableRow, error: WaybillError): Promise<void> => {
      const isFinal = !error.retryable || lease.attempts >= maxAttempts;
      if (!isFinal) again = storedError(error);
      await ours(leases.note(lease, entry.trashId, storedError(error), isFinal));
    };
    let after = '';
    for (;;) {
      signal.throwIfAborted();
      const repository = await leases.nextRepository(lease, after);
      if (repository === undefined) break;
      await restoreRepository({
        ...{ opened, repository, onTrouble, signal },
        entries: await leases.restorables(lease, repository),
        manifestOf: (trashId) => leases.manifestOf(trashId),
        onBack: (entry, tags) => ours(leases.settleRestored(lease, entry.trashId, tags)),
      });
      after = repository;
    }
    if (again === undefined) await ours(leases.finish(lease));
    else await leases.release(lease, { delayMs: this.#delay(lease), isAttempt: true });
    logger.info({ requestId: lease.id, registry: lease.registry, isUnfinished: again !== undefined }, 'a restore was carried out');
  }

  async #giveUp(lease: TrashRequestLease, err: unknown, signal: AbortSignal): Promise<void> {
    const { leases, logger } = this.#options;
    const where = { requestId: lease.id, registry: lease.registry };
    if (this.#shutdown.signal.aborted) {
      logger.info(where, 'the restore is handed over');
      await leases.release(lease, { delayMs: 0, isAttempt: false });
    } else if (signal.aborted || isLeaseLost(err)) {
      logger.warn(where, 'the restore was taken over');
    } else if (isSaid(err) && (!err.retryable || lease.attempts >= maxAttempts)) {
      logger.error({ ...where, err }, 'the restore failed');
      await leases.finish(lease, storedError(err));
    } else {
      logger.warn({ ...where, err }, 'the restore broke off and will be tried again');
      await leases.release(lease, { delayMs: this.#delay(lease), isAttempt: true });
    }
  }

  #delay({ attempts }: TrashRequestLease): number {
    return this.#options.retryMs * 2 ** (attempts - 1);
  }
}

/** What a registry or its topology is to blame for. */
function isSaid(error: unknown): error is ContentError | CopyError | TrashError {
  return error instanceof ContentError || error instanceof CopyError || error instanceof TrashError;
}

/** Another worker has the request: nothing more is to be written. */
function leaseLost(): PromotionError {
  return new PromotionError('the lease of the request was lost', { code: 'lease-lost', operation: 'restore' });
}
