import type { Tables } from '../database.js';
import { Prisma } from '../generated/client.js';

/** A condition: a collection keeps writers away from the registry whose id the expression gives. */
export function beingCollected(registryId: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`EXISTS (
    SELECT 1 FROM collection being WHERE being.registry_id = ${registryId} AND being.finished_at IS NULL AND being.pause_id IS NOT NULL)`;
}

/** Does a collection keep writers away from the registry now? */
export async function isBeingCollected(tables: Tables, registryId: string): Promise<boolean> {
  const [row] = await tables.$queryRaw<
    { is_collected: boolean }[]
  >`SELECT ${beingCollected(Prisma.sql`${registryId}::uuid`)} AS is_collected`;
  return row?.is_collected ?? false;
}
