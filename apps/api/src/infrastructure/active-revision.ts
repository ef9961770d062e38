import type { TopologyRevision, TopologyRevisions } from '@waybill/persistence';
import { PromotionError } from '@waybill/promotion';

/** @throws PromotionError `no-topology` before the first apply */
export async function activeRevision(revisions: TopologyRevisions, operation: string): Promise<TopologyRevision> {
  const revision = await revisions.active();
  if (revision !== undefined) return revision;
  throw new PromotionError('no topology was applied yet', { code: 'no-topology', operation });
}
