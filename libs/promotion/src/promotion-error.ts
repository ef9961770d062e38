import { type ErrorFacts, WaybillError } from '@waybill/kernel';

/** Why a promotion cannot be made. */
export type PromotionErrorCode =
  | 'no-topology' // nothing was applied yet
  | 'repository-unknown'
  | 'tag-unknown'
  | 'digest-unknown'
  | 'source-mismatch' // the reference names another registry than the path's source
  | 'not-admitted' // the path does not carry this repository or tag
  | 'tag-missing' // only a digest was given and no tag to write
  | 'tag-reserved'
  | 'duplicate-target' // two items would write the same tag
  | 'tag-immutable' // an immutable target tag holds another digest
  | 'tag-moved' // a foreign writer moved a target tag
  | 'source-unreachable'
  | 'source-refused' // the source does not take our credentials
  | 'prod-not-tagged' // a replica is never ahead of its prod
  | 'unexpected'
  | 'promotion-unknown'
  | 'lease-lost'; // another worker holds what we were doing

/** Raised by the use cases around promotions; `details.near` holds the nearest valid words of an unknown one. */
export class PromotionError extends WaybillError<PromotionErrorCode> {
  constructor(message: string, facts: ErrorFacts<PromotionErrorCode>) {
    super(message, facts);
  }
}
