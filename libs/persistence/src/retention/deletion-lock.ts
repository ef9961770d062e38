import { type Digest, digestFromBytes, digestToBytes } from '@waybill/oci-model';
import type { Tables } from '../database.js';

/** As `lock_against_deletion` in the migration has it. */
const lockClass = 7_270_003;

/**
 * Keeps promotions that read or write the registry from being accepted, and their attempts from beginning, until the end of the
 * transaction; waits for those that are on their way. What they need is seen by the statements after this one.
 */
export async function lockForDeletion(tables: Tables, registryId: string): Promise<void> {
  await tables.$executeRaw`SELECT pg_advisory_xact_lock(${lockClass}::integer, hashtext(${registryId}))`;
}

/** Which of the digests a promotion under way at the registry needs, and which promotion; under the lock. */
export async function neededByPromotions(
  tables: Tables,
  registryId: string,
  digests: readonly Digest[],
): Promise<ReadonlyMap<Digest, string>> {
  const rows = await tables.$queryRaw<{ digest: Uint8Array; promotion: string }[]>`
    SELECT digest, promotion FROM needed_by_promotions(${registryId}::uuid, ${digests.map(digestToBytes)}::bytea[])`;
  return new Map(rows.map(({ digest, promotion }) => [digestFromBytes(digest), promotion]));
}
