import { type Digest, digestToBytes } from '@waybill/oci-model';
import type { Tables } from '../database.js';
import { Prisma } from '../generated/client.js';
import { lockForDeletion, neededByPromotions } from './deletion-lock.js';
import { holdOf } from './held-digests.js';
import { RetentionRefusal } from './retention-refusal.js';
import type { NewTrashRequest } from './trash-requests.js';

/**
 * Names the repositories in which a purge deletes: the one that was said, or all that the digest was seen in or is held of in the trash.
 * @throws RetentionRefusal `nowhere-to-purge`; `held` when somebody holds it; `needed-by-promotion` when one under way needs it
 */
export async function findPurgeable(
  tables: Tables,
  { id, registryId, asked }: NewTrashRequest & { readonly registryId: string },
): Promise<number> {
  const { repository, digest, registry } = asked;
  if (digest === undefined) throw new TypeError('a purge names a digest');
  const bytes = digestToBytes(digest);
  await refuseNeeded(tables, registryId, digest);
  const inOne = repository === undefined ? Prisma.empty : Prisma.sql`UNION SELECT ${repository}`;
  const only = repository === undefined ? Prisma.sql`true` : Prisma.sql`w.repository = ${repository}`;
  await tables.$executeRaw`
    INSERT INTO retention_request_item (request_id, repository, digest, state)
    SELECT ${id}::uuid, w.repository, ${bytes}::bytea, 'pending' FROM (
      SELECT p.repository FROM placement p WHERE p.digest = ${bytes}::bytea AND p.registry_id = ${registryId}::uuid AND p.seen_until IS NULL
      UNION SELECT t.repository FROM retention_trash_link l JOIN retention_trash t ON t.id = l.trash_id
        WHERE l.digest = ${bytes}::bytea AND t.registry_id = ${registryId}::uuid AND t.cleared_at IS NULL
      ${inOne}
    ) w (repository) WHERE ${only}`;
  const places = await tables.retentionRequestItem.findMany({ where: { requestId: id }, select: { repository: true } });
  if (places.length === 0) throw refused('nowhere-to-purge', `${digest} was seen in no repository of ${registry}: name the repository`);
  // What somebody holds is released first, by whoever may: a purge goes over nobody's head.
  const hold = await holdOf(tables, { registryId, repositories: places.map((place) => place.repository), digests: [digest] });
  if (hold !== undefined) throw refused('held', `hold ${hold} keeps it: release that first`);
  return places.length;
}

async function refuseNeeded(tables: Tables, registryId: string, digest: Digest): Promise<void> {
  await lockForDeletion(tables, registryId);
  const promotion = (await neededByPromotions(tables, registryId, [digest])).get(digest);
  if (promotion === undefined) return;
  throw refused('needed-by-promotion', `promotion ${promotion} is under way and needs it: cancel it, or wait for its end`);
}

function refused(code: 'nowhere-to-purge' | 'needed-by-promotion' | 'held', message: string): RetentionRefusal {
  return new RetentionRefusal(message, { code, operation: 'purge' });
}
