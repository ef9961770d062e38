import { systemClock } from '@waybill/kernel';
import type { Logger } from '@waybill/observability';
import { type RetentionLease, type RetentionLeases, RetentionRefusal, type RetentionTicks, storedError } from '@waybill/persistence';
import { keepLease } from '../../infrastructure/keep-lease.js';
import type { PlanRun } from './plan-run.js';

export interface RunRetentionOptions {
  readonly ticks: RetentionTicks;
  readonly leases: RetentionLeases;
  readonly leaseMs: number;
  readonly planRun: Pick<PlanRun, 'plan'>;
  /** Names this process in leases. */
  readonly workerId: string;
  readonly logger: Logger;
}

/** Turns times that have come into runs, and plans one run at a time: what is held then is one repository. */
export class RunRetention {
  readonly #options: RunRetentionOptions;
  readonly #shutdown = new AbortController();

  constructor(options: RunRetentionOptions) {
    this.#options = options;
  }

  /** One tick; gives how many it took. */
  async tick(): Promise<0 | 1> {
    const { ticks, logger } = this.#options;
    const tick = await ticks.take();
    if (tick === undefined) return 0;
    if (tick.outcome !== 'run') logger.warn({ ...tick }, 'retention was due and makes no run');
    return 1;
  }

  /** Plans the run that has waited longest; gives how many it took up. */
  async run(): Promise<0 | 1> {
    const { leases, leaseMs, workerId } = this.#options;
    if (this.#shutdown.signal.aborted) return 0;
    const since = systemClock.monotonic();
    const lease = await leases.claimPlanning(workerId);
    if (lease === undefined) return 0;
    const keeper = keepLease({ renew: () => leases.renew(lease), leaseMs, since, shutdown: this.#shutdown.signal });
    try {
      await this.#plan(lease, keeper.signal);
    } catch (error) {
      await this.#giveUp(lease, error, keeper.signal);
    } finally {
      await keeper.stop();
    }
    return 1;
  }

  /** What is under way breaks off between two repositories, and another worker goes on with it. */
  close(): void {
    this.#shutdown.abort(new Error('the worker is stopped'));
  }

  async #plan(lease: RetentionLease, signal: AbortSignal): Promise<void> {
    const { leases, planRun, logger } = this.#options;
    const { runId } = lease;
    const ended = await planRun.plan(lease, signal);
    if (ended.end === 'failed') await leases.fail(lease, ended.error);
    if (ended.end === 'lost') logger.warn({ runId }, 'the run of retention was cancelled or taken over');
    else logger.info({ runId, end: ended.end }, 'a run of retention was planned');
  }

  async #giveUp(lease: RetentionLease, err: unknown, signal: AbortSignal): Promise<void> {
    const { leases, logger } = this.#options;
    const where = { runId: lease.runId };
    if (this.#shutdown.signal.aborted) {
      logger.info(where, 'the run of retention is handed over');
      await leases.release(lease);
    } else if (err instanceof RetentionRefusal) {
      await leases.fail(lease, storedError(err));
    } else if (signal.aborted) {
      logger.warn(where, 'the run of retention was taken over');
    } else {
      // Its lease ends, and it is tried again.
      logger.error({ ...where, err }, 'the run of retention broke off');
    }
  }
}
