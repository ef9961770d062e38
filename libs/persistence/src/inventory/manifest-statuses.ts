import type { CreatedProblem, ManifestStatus } from '@waybill/inventory';
import { type Digest, digestFromBytes, digestToBytes, manifestMediaTypes, type RepositoryName } from '@waybill/oci-model';
import type { Tables } from '../database.js';
import { Prisma } from '../generated/client.js';

/** A repository of a registry, as rows name it. */
export interface RepositoryPlace {
  readonly registryId: string;
  readonly repository: RepositoryName;
}

/** What is known of manifests in a repository: one status for each digest. */
export async function manifestStatuses(
  tables: Tables,
  place: RepositoryPlace,
  digests: readonly Digest[],
): Promise<readonly ManifestStatus[]> {
  const rows = await tables.$queryRaw<StatusRow[]>`
    SELECT d.digest, m.digest IS NOT NULL AS is_read, m.created_at, m.created_problem,
      EXISTS (SELECT 1 FROM ${placementHere(place)} AND p.digest = d.digest) AS is_placed,
      ARRAY(
        SELECT e.child FROM content_edge e JOIN content c ON c.digest = e.child
        WHERE m.is_index AND e.parent = d.digest AND e.kind = 'child' AND c.media_type = ANY(${[...manifestMediaTypes]}::text[])
      ) AS manifests
    FROM unnest(${digests.map(digestToBytes)}::bytea[]) AS d (digest) LEFT JOIN manifest m ON m.digest = d.digest`;
  return rows.map(toStatus);
}

/** Open placements `p` of the repository, to be narrowed down. */
export function placementHere({ registryId, repository }: RepositoryPlace): Prisma.Sql {
  return Prisma.sql`placement p WHERE p.registry_id = ${registryId}::uuid AND p.repository = ${repository} AND p.seen_until IS NULL`;
}

interface StatusRow {
  readonly digest: Uint8Array;
  readonly is_read: boolean;
  readonly is_placed: boolean;
  readonly created_at: Date | null;
  readonly created_problem: CreatedProblem | null;
  readonly manifests: readonly Uint8Array[];
}

function createdOf({ created_at: at, created_problem: problem }: StatusRow): ManifestStatus['created'] {
  if (at !== null) return { at };
  return problem === null ? undefined : { problem };
}

function toStatus(row: StatusRow): ManifestStatus {
  return {
    digest: digestFromBytes(row.digest),
    isRead: row.is_read,
    isPlaced: row.is_placed,
    created: createdOf(row),
    manifests: row.manifests.map((digest) => digestFromBytes(digest)),
  };
}
