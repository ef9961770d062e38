import { systemClock } from '@waybill/kernel';
import type { Logger } from '@waybill/observability';
import { storedError, type TrashRequestKind, type TrashRequestLease, type TrashRequestLeases } from '@waybill/persistence';
import { isLeaseLost, keepLease } from '../../infrastructure/keep-lease.js';
import { type CarryOut, isFinal, isSaid, requireOurs } from './request-attempt.js';

export interface RunTrashRequestsOptions {
  readonly leases: Pick<TrashRequestLeases, 'claimNext' | 'renew' | 'release' | 'finish'>;
  readonly kinds: Readonly<Record<TrashRequestKind, CarryOut>>;
  readonly leaseMs: number;
  /** Before what could not be done now is tried again; longer each time. */
  readonly retryMs: number;
  /** Names this process in leases. */
  readonly workerId: string;
  readonly logger: Logger;
}

/** Does what somebody asked for at once, one request at a time. */
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
      await this.#carryOut(lease, keeper.signal);
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

  async #carryOut(lease: TrashRequestLease, signal: AbortSignal): Promise<void> {
    const { leases, kinds, logger } = this.#options;
    const again = await kinds[lease.kind].carryOut(lease, signal);
    if (again === undefined) requireOurs(await leases.finish(lease));
    else await leases.release(lease, { delayMs: this.#delay(lease), isAttempt: true });
    logger.info({ ...whereOf(lease), isUnfinished: again !== undefined }, 'a request of retention was carried out');
  }

  async #giveUp(lease: TrashRequestLease, err: unknown, signal: AbortSignal): Promise<void> {
    const { leases, logger } = this.#options;
    const where = whereOf(lease);
    if (this.#shutdown.signal.aborted) {
      logger.info(where, 'the request of retention is handed over');
      await leases.release(lease, { delayMs: 0, isAttempt: false });
    } else if (signal.aborted || isLeaseLost(err)) {
      logger.warn(where, 'the request of retention was taken over');
    } else if (isSaid(err) && isFinal(err, lease)) {
      logger.error({ ...where, err }, 'the request of retention failed');
      await leases.finish(lease, storedError(err));
    } else {
      logger.warn({ ...where, err }, 'the request of retention broke off and will be tried again');
      await leases.release(lease, { delayMs: this.#delay(lease), isAttempt: true });
    }
  }

  #delay({ attempts }: TrashRequestLease): number {
    return this.#options.retryMs * 2 ** (attempts - 1);
  }
}

function whereOf({ id: requestId, kind, registry }: TrashRequestLease): Readonly<Record<string, unknown>> {
  return { requestId, kind, registry };
}
