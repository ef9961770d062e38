import { Prisma } from './generated/client.js';

/** Prisma: cannot reach, timed out, connection closed, no free connection, transaction could not start or expired, too many connections. */
const prismaCodes = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028', 'P2037']);

/** What Prisma's driver adapter makes of sockets that fail; it keeps their errno to itself. */
const adapterKinds = new Set(['DatabaseNotReachable', 'ConnectionClosed', 'SocketTimeout']);

/**
 * SQLSTATE classes (PostgreSQL 18, appendix A) of a server that does not let us in or go on: connection exception,
 * invalid authorization, invalid catalog name, insufficient resources, operator intervention but for a cancelled query.
 */
const refusals = /^(?:08|28|3D|53|57P)/;

/** Errors of the pool, of sockets, and of a server that ends sessions between two statements, which the adapter passes on as they are. */
const socketCodes = /^E(?:CONN|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|NOTFOUND|AI_AGAIN)/;
const poolMessages = /^(?:timeout exceeded when trying to connect|Connection terminated|Client has encountered a connection error)/;

/**
 * Is the error the database's absence, which passes, and not a mistake of ours? Asked of what `Database` rejects with:
 * everything else, a registry's refused connection too, is not about the database.
 */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (error instanceof Prisma.PrismaClientInitializationError) return true;
  if (error instanceof Prisma.PrismaClientKnownRequestError) return prismaCodes.has(error.code) || isRefusal(error.meta);
  // Prisma marks whatever passes through it.
  if (!(error instanceof Error) || !('clientVersion' in error)) return false;
  if (poolMessages.test(error.message)) return true;
  return 'code' in error && typeof error.code === 'string' && (socketCodes.test(error.code) || refusals.test(error.code));
}

/** Raw statements fail with one code (P2010) for everything; the adapter's cause tells what it was. */
function isRefusal(meta: Record<string, unknown> | undefined): boolean {
  const cause = property(property(meta, 'driverAdapterError'), 'cause');
  const kind = property(cause, 'kind');
  const sqlState = property(cause, 'originalCode');
  return (typeof kind === 'string' && adapterKinds.has(kind)) || (typeof sqlState === 'string' && refusals.test(sqlState));
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (Reflect.get(value, name) as unknown) : undefined;
}
