import { type ErrorFacts, WaybillError } from '@waybill/kernel';
import { Prisma } from './generated/client.js';

export type PersistenceErrorCode =
  | 'migration-edited' // an applied migration's text is not what was applied
  | 'migration-failed' // an earlier run broke off in the middle
  | 'migration-unknown' // the database was migrated by a newer version
  | 'database-unavailable';

export class PersistenceError extends WaybillError<PersistenceErrorCode> {
  constructor(message: string, facts: ErrorFacts<PersistenceErrorCode>) {
    super(message, facts);
  }
}

/** Prisma: cannot reach, timed out, connection closed, no free connection, transaction could not start. */
const prismaUnavailable = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028']);
/** SQLSTATE classes: connection exception, insufficient resources, operator intervention; and errno of sockets. */
const driverUnavailable = /^(?:08|53|57P)|^E(?:CONN|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH)/;

/** Is the error the database's absence, which passes, and not a mistake of ours? */
export function isDatabaseUnavailable(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof PersistenceError) return cause.code === 'database-unavailable';
    if (cause instanceof Prisma.PrismaClientInitializationError) return true;
    const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
    if (cause instanceof Prisma.PrismaClientKnownRequestError ? prismaUnavailable.has(code) : driverUnavailable.test(code)) return true;
    if (cause.name === 'DriverAdapterError' || /timeout exceeded when trying to connect|Connection terminated/.test(cause.message))
      return true;
  }
  return false;
}
