import { types } from 'node:util';
import { Prisma } from './generated/client.js';
import { PersistenceError } from './persistence-error.js';

/**
 * Prisma: cannot reach, timed out, connection closed, no free connection, transaction could not start or expired,
 * gave way to another transaction, too many connections.
 */
const prismaCodes = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028', 'P2034', 'P2037']);

/** What Prisma's driver adapter makes of sockets that fail, of which it keeps the errno to itself, and of deadlocks. */
const adapterKinds = new Set(['DatabaseNotReachable', 'ConnectionClosed', 'SocketTimeout', 'TransactionWriteConflict']);

/**
 * SQLSTATE classes and codes (PostgreSQL 18, appendix A) of a server that does not let us in or go on: connection exception,
 * invalid authorization, invalid catalog name, insufficient resources, operator intervention but for a cancelled query,
 * a transaction that gave way to another one (40001, 40P01), and a server that is no longer the primary (25006).
 */
const refusals = /^(?:08|28|3D|53|57P|40001|40P01|25006)/;

/** Errors of sockets and of the pool, which the adapter passes on as they are. */
const socketCodes = /^E(?:CONN|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|NOTFOUND|AI_AGAIN)/;
const poolMessages =
  /^(?:timeout exceeded when trying to connect|timeout expired|Connection terminated|Client has encountered a connection error|Client was closed)/;

/**
 * Is the error the database's absence, which passes, and not a mistake of ours? Asked of what `Database` rejects with:
 * everything else, a registry's refused connection too, is not about the database.
 */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (error instanceof PersistenceError) return error.code === 'database-unavailable';
  if (error instanceof Prisma.PrismaClientInitializationError) return true;
  // Whatever error of a statement has a code comes as this class, the driver's too.
  if (error instanceof Prisma.PrismaClientKnownRequestError) {
    return prismaCodes.has(error.code) || isAbsence(error.code) || isRefusal(property(error.meta, 'driverAdapterError'));
  }
  // Prisma marks whatever passes through a statement.
  return types.isNativeError(error) && 'clientVersion' in error && poolMessages.test(error.message);
}

/**
 * What BEGIN, COMMIT and the making of a connection for them reject with: unlike statements, they pass on what the driver
 * said without a mark. Gives such an absence of the database as a typed error, and everything else as it is.
 */
export function absenceAround(error: unknown): unknown {
  if (!types.isNativeError(error) || isDatabaseUnavailable(error) || !isAbsent(error)) return error;
  return new PersistenceError('the database went away while a transaction began or ended: whether it was kept is unknown', {
    code: 'database-unavailable',
    operation: 'run transaction',
    retryable: true,
    cause: error,
  });
}

function isAbsent(error: Error): boolean {
  return isAbsence(property(error, 'code')) || isRefusal(error) || poolMessages.test(error.message);
}

function isAbsence(code: unknown): boolean {
  return typeof code === 'string' && (socketCodes.test(code) || refusals.test(code));
}

/** An error of the adapter: raw statements fail with one code (P2010) for everything, its cause tells what it was. */
function isRefusal(adapterError: unknown): boolean {
  const cause = property(adapterError, 'cause');
  const kind = property(cause, 'kind');
  return (typeof kind === 'string' && adapterKinds.has(kind)) || isAbsence(property(cause, 'originalCode'));
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (Reflect.get(value, name) as unknown) : undefined;
}
