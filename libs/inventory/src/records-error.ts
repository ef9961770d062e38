import { WaybillError } from '@waybill/kernel';

/** `not-written`: what was seen of one repository could not be written down, and that of others can. */
export type RecordsErrorCode = 'not-written';

/** Trouble of the records with one repository: too much of it for one transaction, or what they take for a contradiction. */
export class RecordsError extends WaybillError<RecordsErrorCode> {}
