import { type Actor, allows } from '@waybill/access';
import type { PromotionDetail, PromotionReadModel } from '@waybill/persistence';
import { PromotionError } from '@waybill/promotion';
import { z } from 'zod';

const PromotionId = z.guid();

/** What grants are asked about. */
export type PromotionScopeRow = Pick<PromotionDetail, 'path'> & { readonly items: readonly { readonly sourceRepository: string }[] };

/** A promotion is read whole, so every one of its items must be granted. */
export function mayRead(actor: Actor, { path, items }: PromotionScopeRow): boolean {
  return items.every((item) => allows(actor.grants, 'promotions:read', { path, repository: item.sourceRepository }));
}

/**
 * What one may not see is as unknown as what is not there: the answer tells nobody which it is.
 * @throws PromotionError `promotion-unknown`
 */
export async function readablePromotion(promotions: Pick<PromotionReadModel, 'get'>, id: string, actor: Actor): Promise<PromotionDetail> {
  const row = PromotionId.safeParse(id).success ? await promotions.get(id) : undefined;
  if (row !== undefined && mayRead(actor, row)) return row;
  throw new PromotionError(`there is no promotion ${JSON.stringify(id.slice(0, 100))} that this key may read`, {
    code: 'promotion-unknown',
    operation: 'get promotion',
  });
}
