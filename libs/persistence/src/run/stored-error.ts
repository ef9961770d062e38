import type { WaybillError } from '@waybill/kernel';

/** An error as rows and answers show it: no stack, no cause's internals, no secret. */
export interface StoredError {
  readonly code: string;
  readonly message: string;
  readonly operation: string;
  readonly retryable: boolean;
}

/** No message of ours is longer; what a registry says can be. In UTF-16 code units. */
const longest = { code: 100, operation: 200, message: 2_000 } as const;

/** Messages quote what registries answer: PostgreSQL's jsonb refuses NUL and lone surrogates, so they are taken out here. */
export function storedError(error: WaybillError): StoredError {
  const { code, message, operation, retryable } = error;
  return {
    code: storable(code, longest.code),
    message: storable(message, longest.message),
    operation: storable(operation, longest.operation),
    retryable,
  };
}

function storable(text: string, length: number): string {
  return text.replaceAll('\u0000', '').slice(0, length).toWellFormed();
}
