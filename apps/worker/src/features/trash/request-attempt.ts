import type { WaybillError } from '@waybill/kernel';
import { CopyError } from '@waybill/oci-copy';
import { ContentError } from '@waybill/oci-model';
import type { StoredError, TrashRequestLease } from '@waybill/persistence';
import { PromotionError } from '@waybill/promotion';
import { TrashError } from '@waybill/retention';

/** Does what was asked for, as far as it can be done now. */
export interface CarryOut {
  /** Why the rest is to be tried again; undefined when nothing is left. Rejects where nothing could be begun. */
  carryOut(lease: TrashRequestLease, signal: AbortSignal): Promise<StoredError | undefined>;
}

/** A request that could not be done so often is given up. */
const maxAttempts = 5;

/** Whether it is not worth trying again. */
export function isFinal({ retryable }: WaybillError, { attempts }: TrashRequestLease): boolean {
  return !retryable || attempts >= maxAttempts;
}

/** What a registry or its topology is to blame for. */
export function isSaid(error: unknown): error is ContentError | CopyError | TrashError {
  return error instanceof ContentError || error instanceof CopyError || error instanceof TrashError;
}

/**
 * Where a lease was lost another worker has the request, and nothing more is to be done.
 * @throws PromotionError `lease-lost`
 */
export function requireOurs(isOurs: boolean): asserts isOurs {
  if (!isOurs) throw new PromotionError('the lease of the request was lost', { code: 'lease-lost', operation: 'carry out request' });
}
