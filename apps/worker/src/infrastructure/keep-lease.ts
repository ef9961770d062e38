import { setTimeout as delay } from 'node:timers/promises';
import { type Clock, systemClock, WaybillError } from '@waybill/kernel';
import { PromotionError } from '@waybill/promotion';

/** Renewed this many times within one lease, so that one lost renewal costs nothing. */
const renewalsPerLease = 3;

/** Time as a keeper needs it. */
export interface LeaseTime extends Pick<Clock, 'monotonic'> {
  /** Resolves after `ms` milliseconds, or at once when `signal` is aborted. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

const systemTime: LeaseTime = {
  monotonic: () => systemClock.monotonic(),
  wait: (ms, signal) => delay(ms, undefined, { signal }).catch(() => undefined),
};

export interface KeepLeaseOptions {
  /** False when the lease is lost. */
  readonly renew: () => Promise<boolean>;
  readonly leaseMs: number;
  /** Reading of the monotonic clock from before the lease was claimed. */
  readonly since: number;
  /** Ends the work as well. */
  readonly shutdown: AbortSignal;
  readonly time?: LeaseTime;
}

export interface LeaseKeeper {
  /** Aborted with PromotionError `lease-lost`, or with the reason of `shutdown`. */
  readonly signal: AbortSignal;
  /** Ends the renewals. */
  stop(): Promise<void>;
}

/**
 * Renews a lease until stopped. It counts as lost when the database says so, and when no renewal was
 * confirmed for a whole lease, as while the database is silent: then another worker may hold it.
 */
export function keepLease({ renew, leaseMs, since, shutdown, time = systemTime }: KeepLeaseOptions): LeaseKeeper {
  const ended = new AbortController();
  const stopped = new AbortController();
  const endOnShutdown = (): void => ended.abort(shutdown.reason);
  shutdown.addEventListener('abort', endOnShutdown, { once: true });
  if (shutdown.aborted) endOnShutdown();
  const keeping = untilLost({ renew, leaseMs, since, time, stopped: stopped.signal }).then((isLost) => {
    if (isLost) ended.abort(new PromotionError('the lease of the run was lost', { code: 'lease-lost', operation: 'keep lease' }));
  });
  return {
    signal: ended.signal,
    stop: async () => {
      shutdown.removeEventListener('abort', endOnShutdown);
      stopped.abort();
      await keeping;
    },
  };
}

/** Whether work ended because its lease was lost, also where a client of a registry made that its cause. */
export function isLeaseLost(error: unknown): boolean {
  const reasons = error instanceof WaybillError ? [error, error.cause] : [error];
  return reasons.some((reason) => reason instanceof PromotionError && reason.code === 'lease-lost');
}

interface Keeping extends Required<Pick<KeepLeaseOptions, 'renew' | 'leaseMs' | 'since' | 'time'>> {
  readonly stopped: AbortSignal;
}

/** False when stopped. The lease is counted from before it was asked for, so it never ends later than the database says. */
async function untilLost(keeping: Keeping): Promise<boolean> {
  const { leaseMs, since, time, stopped } = keeping;
  let heldUntil = since + leaseMs;
  for (;;) {
    await time.wait(leaseMs / renewalsPerLease, stopped);
    const asked = time.monotonic();
    const renewed = stopped.aborted || asked >= heldUntil ? undefined : await renewedWithin(heldUntil - asked, keeping);
    if (stopped.aborted) return false;
    if (renewed === true) heldUntil = asked + leaseMs;
    if (renewed === false || time.monotonic() >= heldUntil) return true;
  }
}

/** Undefined when the database could not be asked, or has not answered in time. */
async function renewedWithin(ms: number, { renew, time, stopped }: Keeping): Promise<boolean | undefined> {
  const answered = new AbortController();
  const late = time.wait(ms, AbortSignal.any([answered.signal, stopped])).then(() => undefined);
  const answer = renew().catch(() => undefined);
  try {
    return await Promise.race([answer, late]);
  } finally {
    answered.abort();
  }
}
