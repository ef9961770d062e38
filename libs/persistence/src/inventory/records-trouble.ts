import { RecordsError } from '@waybill/inventory';
import { WaybillError } from '@waybill/kernel';
import { isDatabaseUnavailable } from '../database-unavailable.js';
import { Prisma } from '../generated/client.js';

/**
 * What an error says of one repository: that the database refuses what was seen of it, or takes too long over it. That the lease is lost,
 * or the database away, is not about the repository.
 */
export function ofThisRepository(error: unknown, repository: string): unknown {
  if (error instanceof WaybillError || (isDatabaseUnavailable(error) && !hasExpired(error))) return error;
  const why = hasExpired(error) ? 'took too long' : 'is refused by the database';
  return new RecordsError(`what was seen of ${repository} ${why}: it stays as it was known`, {
    ...{ code: 'not-written', operation: 'write inventory', cause: error },
  });
}

/** Prisma has one code for a transaction that could not begin and for one that took too long; only the latter was open before. */
function hasExpired(error: unknown): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2028' && /expired|already closed/.test(error.message);
}
