import type { ListPromotions } from '@waybill/contracts/http';
import type { PromotionFilter } from '@waybill/persistence';

/** What the query asks for, as the read model knows it. */
export function toPromotionFilter(query: ListPromotions): PromotionFilter {
  const { state, path, repository, digest, tag, principal, requestedAfter, requestedBefore } = query;
  return {
    ...(state === undefined ? {} : { state }),
    ...(path === undefined ? {} : { path }),
    ...(repository === undefined ? {} : { repository }),
    ...(digest === undefined ? {} : { digest }),
    ...(tag === undefined ? {} : { tag }),
    ...(principal === undefined ? {} : { requestedBy: principal }),
    ...(requestedAfter === undefined ? {} : { requestedAfter: new Date(requestedAfter) }),
    ...(requestedBefore === undefined ? {} : { requestedBefore: new Date(requestedBefore) }),
  };
}
