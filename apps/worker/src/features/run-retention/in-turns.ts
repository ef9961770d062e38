import { setImmediate } from 'node:timers/promises';
import { systemClock } from '@waybill/kernel';
import type { Steps } from '@waybill/retention';

/** Leases are renewed and promotions go on in between. In milliseconds. */
const turnMs = 25;

/** Takes the steps with a pause wherever they have taken a while. Rejects with the signal's reason when it is aborted. */
export async function inTurns<T>(steps: Steps<T>, signal?: AbortSignal): Promise<T> {
  for (let began = systemClock.monotonic(); ;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (systemClock.monotonic() - began < turnMs) continue;
    await setImmediate();
    signal?.throwIfAborted();
    began = systemClock.monotonic();
  }
}
