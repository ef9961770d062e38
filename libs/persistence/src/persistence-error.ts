import { WaybillError } from '@waybill/kernel';

export type PersistenceErrorCode =
  | 'database-unavailable' // the database is away, or went at the edge of a transaction: whether that was kept is unknown
  | 'migration-edited' // an applied migration's text is not what was applied
  | 'migration-failed' // an earlier run broke off in the middle
  | 'migration-unknown'; // the database was migrated by a newer version

/** Only `database-unavailable` is retryable; of a migration a person has to change something. */
export class PersistenceError extends WaybillError<PersistenceErrorCode> {}
