import { WaybillError } from '@waybill/kernel';

/** Why a promotion cannot be made. */
export type PromotionErrorCode =
  | 'no-topology' // nothing was applied yet
  | 'repository-unknown'
  | 'tag-unknown'
  | 'digest-unknown'
  | 'source-mismatch' // the reference names another registry than the path's source
  | 'not-admitted' // the path does not carry this repository or tag
  | 'tag-missing' // no tag to write, or a source that is named by neither tag nor digest
  | 'tag-reserved'
  | 'duplicate-target' // two items would write the same tag
  | 'tag-immutable' // an immutable target tag holds another digest
  | 'tag-moved' // a foreign writer moved a target tag
  | 'tag-unconfirmed' // a tag was perhaps written, and reading it back has not shown it yet
  | 'source-unreachable'
  | 'source-refused' // the source does not take our credentials
  | 'prod-not-tagged' // a replica is never ahead of its prod
  | 'registry-replaced' // a registry's name means another registry than at request
  | 'being-deleted' // retention is deleting what it needs
  | 'topology-changed' // a new revision was applied while the promotion was recorded
  | 'path-removed' // the path is gone from the active topology
  | 'attempts-exhausted' // every attempt broke off without an end
  | 'unexpected'
  | 'promotion-unknown'
  | 'promotion-finished' // nothing of it is left to cancel
  | 'promotion-unfinished' // only what has ended is tried again
  | 'nothing-to-retry'
  | 'cancelled' // somebody asked that it be stopped
  | 'paused' // a pause covers it
  | 'already-paused'
  | 'already-collecting' // its registry has an unfinished collection
  | 'lease-lost'; // another worker holds what we were doing

/** Raised by the use cases around promotions; `details.near` holds the nearest valid words of an unknown one. */
export class PromotionError extends WaybillError<PromotionErrorCode> {}

/** Another worker took over: nothing may be recorded or written any more. */
export function isLeaseLost(error: unknown): boolean {
  return error instanceof PromotionError && error.code === 'lease-lost';
}

/** Somebody asked that the promotion be stopped: nothing more is begun. */
export function isCancelled(error: unknown): boolean {
  return error instanceof PromotionError && error.code === 'cancelled';
}

/** A pause covers the target: it waits, and that is no failure. */
export function isPaused(error: unknown): boolean {
  return error instanceof PromotionError && error.code === 'paused';
}

export function paused(): PromotionError {
  return new PromotionError('a pause covers this target', { code: 'paused', operation: 'promote' });
}

/** What a run of a cancelled promotion ends with, and what its unfinished targets say. */
export function cancelled(): PromotionError {
  return new PromotionError('the promotion was cancelled before this was done: what was tagged until then stays', {
    code: 'cancelled',
    operation: 'promote',
  });
}
