import type { WaybillError } from '@waybill/kernel';

/** An error as rows and answers show it: no stack, no cause's internals, no secret. */
export interface StoredError {
  readonly code: string;
  readonly message: string;
  readonly operation: string;
  readonly retryable: boolean;
}

export function storedError(error: WaybillError): StoredError {
  const { code, message, operation, retryable } = error;
  return { code, message, operation, retryable };
}
