import { type Digest, digestToBytes, type Tag } from '@waybill/oci-model';
import type { Tables } from '../database.js';
import { Prisma } from '../generated/client.js';
import type { DeletionPlace, SparedReason } from './deletion-effects.js';

/** One deletion: of a manifest, or of a tag that leaves its manifest. */
interface Going {
  readonly digest: Digest;
  /** Empty for the manifest. */
  readonly tag: Tag | '';
}

/**
 * What somebody has said or done since the repository was read again: a hold, that it runs, or a push of it, which renews it. As in every plan, what is held keeps what it is
 * about, and what runs the index above it; what goes before it, and would keep it, is spared with it already.
 */
export async function keptMeanwhile(tables: Tables, place: DeletionPlace, going: Going): Promise<SparedReason | undefined> {
  const [row] = await tables.$queryRaw<{ hold: string | null; reporter: string | null; pushed: boolean }[]>`
    WITH RECURSIVE about (digest) AS (
      SELECT ${digestToBytes(going.digest)}::bytea
      UNION
      SELECT e.parent FROM about a JOIN content_edge e ON e.child = a.digest AND e.kind IN ('subject', 'reserved-tag')
        JOIN placement p ON p.digest = e.parent AND p.registry_id = ${place.registryId}::uuid AND p.repository = ${place.repository}
          AND p.seen_until IS NULL
      WHERE ${going.tag} = ''
    ), used (digest) AS (
      SELECT digest FROM about
      UNION
      SELECT e.child FROM used u JOIN content_edge e ON e.parent = u.digest AND e.kind = 'child'
    )
    SELECT (
      SELECT h.id FROM hold h JOIN registry r ON r.id = ${place.registryId}::uuid AND h.registry IN ('', r.name)
      WHERE h.released_at IS NULL AND (h.expires_at IS NULL OR h.expires_at > now())
        AND ((h.digest IN (SELECT digest FROM about) AND h.repository IN ('', ${place.repository}))
          OR (h.repository = ${place.repository} AND (h.scope = 'repository' OR (h.scope = 'tag' AND h.tag IN (${tagsOf(place, going)})))))
      ORDER BY h.id LIMIT 1
    ) AS hold, (SELECT i.reporter FROM in_use_digest i WHERE i.digest IN (SELECT digest FROM used) ORDER BY i.reporter LIMIT 1) AS reporter, EXISTS (
      SELECT FROM retention_run_repository y WHERE y.run_id = ${place.runId}::uuid AND y.repository = ${place.repository} AND (
        EXISTS (SELECT FROM placement p WHERE p.registry_id = ${place.registryId}::uuid AND p.repository = y.repository
          AND p.digest = ${digestToBytes(going.digest)} AND p.seen_until IS NULL AND p.pushed_at >= y.deleting_at)
        OR EXISTS (SELECT FROM notification_hint n WHERE n.registry_id = ${place.registryId}::uuid AND n.repository = y.repository
          AND n.digest = ${digestToBytes(going.digest)} AND n.pushed_at >= y.deleting_at))
    ) AS pushed`;
  if (row === undefined) return undefined;
  if (row.hold !== null) return { code: 'hold', message: `hold ${row.hold} keeps it` };
  if (row.reporter !== null) return { code: 'in-use', message: `the reporter ${row.reporter} says that it runs` };
  return row.pushed ? { code: 'pushed-meanwhile', message: 'somebody pushed it after the repository was read again' } : undefined;
}

/** A tag that goes is kept by its own hold only; a manifest by those of all tags that name it, or what is said about it. */
function tagsOf({ registryId, repository }: DeletionPlace, { tag }: Going): Prisma.Sql {
  return tag === ''
    ? Prisma.sql`SELECT t.name FROM tag t JOIN repository y ON y.id = t.repository_id
        WHERE y.registry_id = ${registryId}::uuid AND y.name = ${repository} AND t.gone_at IS NULL AND t.digest IN (SELECT digest FROM about)`
    : Prisma.sql`${tag}::text`;
}
