import { setMaxListeners } from 'node:events';
import { systemClock } from '@waybill/kernel';
import type { Logger } from '@waybill/observability';
import { type RetentionLease, type RetentionLeases, RetentionRefusal, type RetentionTicks, storedError } from '@waybill/persistence';
import { keepLease } from '../../infrastructure/keep-lease.js';
import type { ExecuteRun } from './execute-run.js';
import type { PlanRun } from './plan-run.js';

export interface RunRetentionOptions {
  readonly ticks: RetentionTicks;
  readonly leases: RetentionLeases;
  readonly leaseMs: number;
  readonly planRun: Pick<PlanRun, 'plan'>;
  readonly executeRun: Pick<ExecuteRun, 'execute'>;
  /** Names this process in leases. */
  readonly workerId: string;
  readonly logger: Logger;
}

/** Turns times that have come into runs, plans one run at a time, and carries one out beside it: what is held of either is one repository. */
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
    const { leases, workerId } = this.#options;
    return this.#under(
      () => leases.claimPlanning(workerId),
      (lease, signal) => this.#plan(lease, signal),
    );
  }

  /** Carries out the run that has waited longest to act; gives how many it took up. */
  async execute(): Promise<0 | 1> {
    const { leases, workerId } = this.#options;
    return this.#under(
      () => leases.claimExecution(workerId),
      (lease, signal) => this.#execute(lease, signal),
    );
  }

  /** What is under way breaks off between two repositories, and another worker goes on with it. */
  close(): void {
    this.#shutdown.abort(new Error('the worker is stopped'));
  }

  async #under(
    claim: () => Promise<RetentionLease | undefined>,
    work: (lease: RetentionLease, signal: AbortSignal) => Promise<void>,
  ): Promise<0 | 1> {
    const { leases, leaseMs } = this.#options;
    if (this.#shutdown.signal.aborted) return 0;
    const since = systemClock.monotonic();
    const lease = await claim();
    if (lease === undefined) return 0;
    const keeper = keepLease({ renew: () => leases.renew(lease), leaseMs, since, shutdown: this.#shutdown.signal });
    setMaxListeners(0, keeper.signal); // each of the many small reads listens to it
    try {
      await work(lease, keeper.signal);
    } catch (error) {
      await this.#giveUp(lease, error, keeper.signal);
    } finally {
      await keeper.stop();
    }
    return 1;
  }

  async #execute(lease: RetentionLease, signal: AbortSignal): Promise<void> {
    const { executeRun, logger } = this.#options;
    const { runId } = lease;
    const end = await executeRun.execute(lease, signal);
    if (end === 'lost') logger.warn({ runId }, 'the run of retention was cancelled or taken over');
    else logger.info({ runId, end }, 'a run of retention was carried on');
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
