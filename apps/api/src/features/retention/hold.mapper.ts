import type { CreateHold, Hold } from '@waybill/contracts/http';
import type { HoldRow, HoldScope } from '@waybill/persistence';

export function toHold({ id, on, reason, placedBy, placedAt, expiresAt, releasedBy, releasedAt, releaseReason }: HoldRow): Hold {
  return {
    id,
    ...on,
    ...{ reason, placedBy, placedAt: placedAt.toISOString() },
    ...(expiresAt === null ? {} : { expiresAt: expiresAt.toISOString() }),
    ...(releasedBy === null ? {} : { releasedBy }),
    ...(releasedAt === null ? {} : { releasedAt: releasedAt.toISOString() }),
    ...(releaseReason === null ? {} : { releaseReason }),
  };
}

/** The schema lets each part through exactly where the scope has it. */
export function holdScopeOf({ registry, repository, tag, digest }: CreateHold): HoldScope {
  const where = registry === undefined ? {} : { registry };
  if (digest !== undefined) return { scope: 'digest', ...where, ...(repository === undefined ? {} : { repository }), digest };
  if (repository === undefined) throw new TypeError('the schema let a hold through that names nothing');
  return tag === undefined ? { scope: 'repository', ...where, repository } : { scope: 'tag', ...where, repository, tag };
}
