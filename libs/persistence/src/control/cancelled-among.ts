import type { Database } from '../database.js';

/** Those of the promotions that are cancelled. */
export async function cancelledAmong(database: Database, promotionIds: readonly string[]): Promise<ReadonlySet<string>> {
  if (promotionIds.length === 0) return new Set();
  const rows = await database.tables.promotionCancellation.findMany({
    where: { promotionId: { in: [...promotionIds] } },
    select: { promotionId: true },
  });
  return new Set(rows.map(({ promotionId }) => promotionId));
}
