import { types } from 'node:util';
import { WaybillError } from '@waybill/kernel';

/** Errors of this realm and of others (tests and workers have their own `Error`). */
export function isError(value: unknown): value is Error {
  return value instanceof Error || types.isNativeError(value);
}

/**
 * What a log line says about an error.
 *
 * Of foreign errors only named facts are taken: clients hang whole requests, with their headers, onto theirs.
 * Causes and collected errors stay errors; whoever walks the record turns them into records and bounds the chain.
 */
export function errorRecord(error: Error): Readonly<Record<string, unknown>> {
  return {
    type: error.name,
    message: error.message,
    ...facts(error),
    stack: error.stack,
    ...(error.cause !== undefined && { cause: error.cause }),
    ...(error instanceof AggregateError && { errors: error.errors }),
  };
}

function facts(error: Error): Readonly<Record<string, unknown>> {
  if (error instanceof WaybillError) {
    const { code, operation, retryable, retryAfterMs, details } = error as WaybillError;
    return { code, operation, retryable, retryAfterMs, details };
  }
  const { code, syscall } = error as NodeJS.ErrnoException;
  return { code, syscall };
}
