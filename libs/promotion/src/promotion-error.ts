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
  | 'topology-changed' // a new revision was applied while the promotion was recorded
  | 'path-removed' // the path is gone from the active topology
  | 'attempts-exhausted' // every attempt broke off without an end
  | 'unexpected'
  | 'promotion-unknown'
  | 'lease-lost'; // another worker holds what we were doing

/** Raised by the use cases around promotions; `details.near` holds the nearest valid words of an unknown one. */
export class PromotionError extends WaybillError<PromotionErrorCode> {}

/** Another worker took over: nothing may be recorded or written any more. */
export function isLeaseLost(error: unknown): boolean {
  return error instanceof PromotionError && error.code === 'lease-lost';
}
