import { type Digest, digestFromBytes, digestToBytes, type RepositoryName } from '@waybill/oci-model';
import type { Tables } from '../database.js';
import { Prisma } from '../generated/client.js';

/** What a purge would take along: what it names, what that lists, and what refers to any of it. */
export interface PurgeSet {
  readonly registryId: string;
  readonly repository: RepositoryName;
  readonly root: Digest;
  readonly digests: readonly Digest[];
}

/**
 * Those that something needs which stays, and what needs them, as the inventory knows the repository: what lists them and is not to go,
 * or a user's tag of their own (undefined). With them stays what they list, and what refers to them. The root's own tags keep nothing,
 * and neither does a list of referrers, which is written anew without what has gone.
 */
export async function whatStays(tables: Tables, purge: PurgeSet): Promise<ReadonlyMap<Digest, Digest | undefined>> {
  const root = digestToBytes(purge.root);
  const going = purge.digests.map(digestToBytes);
  const rows = await tables.$queryRaw<{ digest: Uint8Array; by: Uint8Array | null }[]>`
    WITH RECURSIVE stays (digest, by) AS (
      SELECT g.digest, k.by FROM unnest(${going}::bytea[]) AS g (digest) CROSS JOIN LATERAL (
        (${ownTags(purge)} AND NOT t.is_reserved AND t.digest = g.digest AND g.digest <> ${root}::bytea LIMIT 1)
        UNION ALL (
        SELECT e.parent FROM content_edge e
          JOIN placement p ON p.digest = e.parent AND p.registry_id = ${purge.registryId}::uuid AND p.repository = ${purge.repository}
            AND p.seen_until IS NULL
        WHERE e.kind = 'child' AND e.child = g.digest AND e.parent <> ALL(${going}::bytea[]) AND NOT (
          EXISTS (${ownTags(purge)} AND t.is_reserved AND t.digest = e.parent)
          AND NOT EXISTS (${ownTags(purge)} AND NOT t.is_reserved AND t.digest = e.parent))
        ORDER BY e.parent LIMIT 1)
      ) AS k (by)
      UNION
      SELECT w.digest, s.digest FROM stays s CROSS JOIN LATERAL (
        SELECT child FROM content_edge WHERE parent = s.digest AND kind = 'child'
        UNION ALL SELECT parent FROM content_edge WHERE child = s.digest AND kind IN ('subject', 'reserved-tag') AND parent <> ${root}::bytea
      ) AS w (digest)
      WHERE w.digest = ANY(${going}::bytea[])
    )
    SELECT DISTINCT ON (digest) digest, by FROM stays ORDER BY digest, by`;
  return new Map(rows.map(({ digest, by }) => [digestFromBytes(digest), by === null ? undefined : digestFromBytes(by)]));
}

function ownTags({ registryId, repository }: PurgeSet): Prisma.Sql {
  return Prisma.sql`SELECT NULL::bytea FROM tag t JOIN repository y ON y.id = t.repository_id
    WHERE y.registry_id = ${registryId}::uuid AND y.name = ${repository} AND t.gone_at IS NULL`;
}
