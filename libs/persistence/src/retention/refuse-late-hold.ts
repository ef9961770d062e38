import { digestToBytes } from '@waybill/oci-model';
import type { Tables } from '../database.js';
import { Prisma } from '../generated/client.js';
import type { HoldScope } from './holds.js';
import { RetentionRefusal } from './retention-refusal.js';

/**
 * A hold comes before a deletion or after it: whoever begins one, a run or a purge, looks for holds under the lock that is taken here, as
 * promotions do. What is marked is spared when its turn comes.
 * A hold of a whole repository always comes before what is next there: to refuse it would let a busy run go on.
 * @throws RetentionRefusal `being-deleted` where the deletion of what is to be held may have been sent
 */
export async function refuseLateHold(tables: Tables, on: HoldScope): Promise<void> {
  const { registry = '' } = on;
  const places = await tables.$queryRaw<{ id: string }[]>`
    SELECT id FROM registry WHERE replaced_at IS NULL AND ${registry} IN ('', name)`;
  const ids = places.map(({ id }) => id);
  await tables.$executeRaw`SELECT lock_against_deletion(${ids}::uuid[])`;
  if (on.scope === 'repository') return;
  const [late] = await tables.$queryRaw<{ registry: string; repository: string }[]>`
    SELECT r.name AS registry, e.repository FROM (
      SELECT registry_id, repository, digest, tag FROM effect
      WHERE state = 'intended' AND kind = 'deletion' AND registry_id = ANY(${ids}::uuid[])
      UNION ALL SELECT registry, repository, digest, '' FROM purged_now(${ids}::uuid[])
    ) e JOIN registry r ON r.id = e.registry_id
    WHERE ${isMeant(on)} LIMIT 1`;
  if (late === undefined) return;
  throw new RetentionRefusal(`something of this is just being deleted from ${late.repository} of ${late.registry}: say it again`, {
    code: 'being-deleted',
    operation: 'place hold',
    retryable: true,
  });
}

/** Of a deletion `e`: what is deleted there is what the hold would keep. */
function isMeant(on: Exclude<HoldScope, { readonly scope: 'repository' }>): Prisma.Sql {
  switch (on.scope) {
    case 'digest': {
      const { repository = '', digest } = on;
      return Prisma.sql`e.tag = '' AND e.digest = ${digestToBytes(digest)} AND ${repository} IN ('', e.repository)`;
    }
    case 'tag':
      return Prisma.sql`e.repository = ${on.repository} AND (e.tag = ${on.tag} OR (e.tag = '' AND EXISTS (
        SELECT FROM tag t JOIN repository y ON y.id = t.repository_id
        WHERE y.registry_id = e.registry_id AND y.name = e.repository AND t.name = ${on.tag} AND t.gone_at IS NULL AND t.digest = e.digest)))`;
  }
}
