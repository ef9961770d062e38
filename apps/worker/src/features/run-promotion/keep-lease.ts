import { setTimeout as wait } from 'node:timers/promises';
import { PromotionError } from '@waybill/promotion';

/** Renewed this many times within one lease, so that one lost renewal costs nothing. */
const renewalsPerLease = 3;

/**
 * Renews a lease until stopped. The signal is aborted when the lease is lost or could not be
 * renewed for a whole lease, and when `shutdown` is.
 */
export function keepLease(
  renew: () => Promise<boolean>,
  leaseMs: number,
  shutdown: AbortSignal,
): { readonly signal: AbortSignal; stop(): Promise<void> } {
  const stopped = new AbortController();
  const lost = new AbortController();
  const keeping = keep(renew, leaseMs, stopped.signal).then((kept) => {
    if (!kept) lost.abort(new PromotionError('the lease of the run was lost', { code: 'lease-lost', operation: 'keep lease' }));
  });
  return {
    signal: AbortSignal.any([lost.signal, shutdown]),
    stop: async () => {
      stopped.abort();
      await keeping;
    },
  };
}

/** True when stopped, false when lost. */
async function keep(renew: () => Promise<boolean>, leaseMs: number, stopped: AbortSignal): Promise<boolean> {
  let heldUntil = performance.now() + leaseMs;
  while (!stopped.aborted) {
    const interrupted = await wait(leaseMs / renewalsPerLease, false, { signal: stopped }).catch(() => true);
    if (interrupted) return true;
    const asked = performance.now();
    const renewed = await renew().catch(() => undefined);
    if (renewed === true) heldUntil = asked + leaseMs;
    if (renewed === false || performance.now() > heldUntil) return stopped.aborted;
  }
  return true;
}
