import { WaybillError } from '@waybill/kernel';

/** Why a repository could not be read again right before its deletions: nothing of it is deleted. */
export type RereadErrorCode =
  | 'repository-unknown' // the inventory has no such repository any more
  | 'registry-unknown' // the active topology no longer has the registry
  | 'registry-trouble' // the registry answers nothing, or nothing to us, as it would of other repositories
  | 'repository-unreadable' // its tags or one of its manifests could not be listed or read
  | 'repository-suspect'; // what the registry said of it cannot be believed

export class RereadError extends WaybillError<RereadErrorCode> {}

export function rereadError(code: RereadErrorCode, message: string): RereadError {
  return new RereadError(message, { code, operation: 'read repository again', retryable: true });
}
