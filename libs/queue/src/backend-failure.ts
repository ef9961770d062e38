import { types } from 'node:util';
import { SchemaMigrationRequiredError, SchemaVersionMismatchError, UnsupportedPostgresVersionError } from 'bullmq';
import { QueueError } from './queue-error.js';

/**
 * PostgreSQL (appendix A "Error Codes") answers and refuses: insufficient privilege, unknown schema, table, function or database.
 * Class 28 (authorisation) is not among them: a role that may not log in now may do so later.
 */
const refusedByPostgres = new Set(['42501', '3F000', '42P01', '42883', '3D000']);

/** Redis answers and refuses. `NOAUTH` and `WRONGPASS` are not among them, for the same reason. */
const refusedByRedis = /^(?:NOPERM|ERR unknown command)/;

const unusable = [SchemaMigrationRequiredError, SchemaVersionMismatchError, UnsupportedPostgresVersionError];

/** What a failure of the backend means to whoever uses the queue. */
export function asQueueError(operation: string, error: unknown): QueueError {
  if (error instanceof QueueError) return error;
  if (isRefusal(error)) {
    return new QueueError('the queue refuses to work; its rights or version are wrong', { code: 'queue-refused', operation, cause: error });
  }
  return new QueueError('the queue cannot be reached', { code: 'queue-unavailable', operation, cause: error });
}

/** Whether the connection is gone or was never there, as against an answer that is an error. */
export function isConnectionLoss(error: unknown): boolean {
  if (!types.isNativeError(error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code === 'string') {
    if (/^(?:E[A-Z]{3,}|08...|28...|57P0[1-5]|53300)$/.test(code)) return true;
  }
  return /connection (?:is closed|terminated|timeout|ended)|stream isn't writeable|socket closed|timeout exceeded|query read timeout|not queryable|max retries per request/i.test(
    error.message,
  );
}

function isRefusal(error: unknown): boolean {
  if (!types.isNativeError(error)) return false;
  if (unusable.some((type) => error instanceof type)) return true;
  const { code } = error as NodeJS.ErrnoException;
  return (typeof code === 'string' && refusedByPostgres.has(code)) || refusedByRedis.test(error.message);
}
