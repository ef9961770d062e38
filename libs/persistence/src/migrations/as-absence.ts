import { types } from 'node:util';
import { PersistenceError } from '../persistence-error.js';

/**
 * Connection exception, insufficient resources, a server that stops, has crashed or starts (PostgreSQL 18, appendix A), and the
 * sockets' errors. A role or a database that the server does not know is not among them: when a process starts, a person has set it wrong.
 */
const passing = /^(?:08|53|57P0[1-5]|ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN)/;

/** What pg (8.23) says where nothing has a code. */
const passingMessages = /^(?:Connection terminated|timeout expired|Client has encountered a connection error)/;

/** What a connection of our own rejects with: a typed error when the server is only away, else the error as it is. */
export function asAbsence(error: unknown): unknown {
  if (!types.isNativeError(error)) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  if (!passing.test(code ?? '') && !passingMessages.test(error.message)) return error;
  return new PersistenceError(`the database does not answer (${code ?? error.message})`, {
    code: 'database-unavailable',
    operation: 'apply migrations',
    retryable: true,
    cause: error,
  });
}
