import { WaybillError } from '@waybill/kernel';

export type PersistenceErrorCode =
  | 'migration-edited' // an applied migration's text is not what was applied
  | 'migration-failed' // an earlier run broke off in the middle
  | 'migration-unknown'; // the database was migrated by a newer version

/** Raised by `applyMigrations`; never retryable: a person has to change something. */
export class PersistenceError extends WaybillError<PersistenceErrorCode> {}
