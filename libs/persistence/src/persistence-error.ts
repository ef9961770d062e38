import { type ErrorFacts, WaybillError } from '@waybill/kernel';

export type PersistenceErrorCode =
  | 'migration-edited' // an applied migration's text is not what was applied
  | 'migration-failed' // an earlier run broke off in the middle
  | 'migration-unknown'; // the database was migrated by a newer version

export class PersistenceError extends WaybillError<PersistenceErrorCode> {
  constructor(message: string, facts: ErrorFacts<PersistenceErrorCode>) {
    super(message, facts);
  }
}
