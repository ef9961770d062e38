import type { FactsGap } from '@waybill/inventory';
import type { Tables } from '../database.js';
import { Prisma } from '../generated/client.js';
import { digestSql } from './digest-sql.js';

/** A repository of the inventory. */
export interface Place {
  readonly registryId: string;
  readonly repository: string;
  readonly repositoryId: bigint;
}

export interface ManifestRow {
  readonly digest: string;
  readonly mediaType: string;
  readonly artifactType: string | null;
  readonly size: bigint;
  readonly subject: string | null;
  readonly platforms: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly gaps: readonly FactsGap[];
  readonly createdAt: Date | null;
  readonly createdProblem: string | null;
  readonly unreadable: string | null;
  readonly pushedAt: Date | null;
  readonly firstSeenAt: Date;
  readonly lastPulledAt: Date | null;
}

/** Manifests that were read and are in the repository. */
export function loadManifests(tables: Tables, place: Place): Promise<ManifestRow[]> {
  return tables.$queryRaw<ManifestRow[]>`
    SELECT ${digestSql('p.digest')} AS digest, m.media_type AS "mediaType", m.artifact_type AS "artifactType", octet_length(m.raw)::bigint AS size,
      ${digestSql('m.subject')} AS subject, m.platforms, m.annotations, m.gaps, m.created_at AS "createdAt", m.created_problem AS "createdProblem",
      m.unreadable, p.pushed_at AS "pushedAt", p.seen_from AS "firstSeenAt", p.last_pulled_at AS "lastPulledAt"
    FROM placement p JOIN manifest m ON m.digest = p.digest WHERE ${isPlacedAt(place)}`;
}

/** Of a placement `p`: the repository holds it now. */
export function isPlacedAt({ registryId, repository }: Place): Prisma.Sql {
  return Prisma.sql`p.registry_id = ${registryId}::uuid AND p.repository = ${repository} AND p.seen_until IS NULL`;
}
