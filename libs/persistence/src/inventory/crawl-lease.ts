import { PromotionError } from '@waybill/promotion';
import type { Tables } from '../database.js';
import { Prisma } from '../generated/client.js';

/** The right to crawl, until it expires. */
export interface CrawlLease {
  readonly crawlId: string;
  readonly holder: string;
  /** Raised with every claim: what carries an older one changes nothing. */
  readonly fence: bigint;
}

/** The crawl's row while the lease holds. */
export function heldCrawl({ crawlId, fence }: CrawlLease): Prisma.Sql {
  return Prisma.sql`id = ${crawlId}::uuid AND lease_fence = ${fence} AND state = 'running' AND lease_expires_at > now()`;
}

/** Holds the lease to the end of the transaction; rejects with `lease-lost` when it is another worker's. */
export async function underCrawlLease(tables: Tables, lease: CrawlLease): Promise<void> {
  const rows = await tables.$queryRaw<object[]>`SELECT 1 AS held FROM crawl WHERE ${heldCrawl(lease)} FOR NO KEY UPDATE`;
  if (rows.length === 0) throw crawlLost(lease);
}

export function crawlLost({ crawlId }: CrawlLease): PromotionError {
  return new PromotionError('another worker took over the crawl', {
    code: 'lease-lost',
    operation: 'crawl registry',
    details: { crawlId },
  });
}
