import type { ListPromotions } from '@waybill/contracts/http';
import type { PromotionFilter } from '@waybill/persistence';

/** What the query asks for, as the read model knows it; `requestedBy` is the id of the principal that it names. */
export function toPromotionFilter(query: ListPromotions, requestedBy: string | undefined): PromotionFilter {
  const { state, path, repository, digest, tag, requestedAfter, requestedBefore } = query;
  return {
    ...(state === undefined ? {} : { state }),
    ...(path === undefined ? {} : { path }),
    ...(repository === undefined ? {} : { repository }),
    ...(digest === undefined ? {} : { digest }),
    ...(tag === undefined ? {} : { tag }),
    ...(requestedBy === undefined ? {} : { requestedBy }),
    ...(requestedAfter === undefined ? {} : { requestedAfter: new Date(requestedAfter) }),
    ...(requestedBefore === undefined ? {} : { requestedBefore: new Date(requestedBefore) }),
  };
}
