import { WaybillError } from '@waybill/kernel';

export type TrashErrorCode =
  | 'trash-emptying' // what is to be kept shares content with what is just being emptied: retryable
  | 'trash-content-missing' // somebody removed what the trash held
  | 'restore-failed' // a registry refused what came back
  | 'registry-replaced' // the name means another registry by now
  | 'registry-unknown' // the topology has it no more
  | 'in-promotion' // a promotion that is under way needs it
  | 'held' // somebody holds it, or something that goes with it
  | 'listed-elsewhere' // something that stays lists it
  | 'repository-unread' // nobody can tell what in the repository needs it: retryable
  | 'being-restored'; // a restore that is under way needs it

/** Why something could not be kept, brought back or deleted for good. */
export class TrashError extends WaybillError<TrashErrorCode> {}
