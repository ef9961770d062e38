import { type Digest, digestFromBytes, digestToBytes, type RepositoryName, type Tag } from '@waybill/oci-model';
import type { Tables } from '../database.js';
import { Prisma } from '../generated/client.js';
import { type BoundedPage, maxLookedAt, readBoundedPage } from './bounded-page.js';
import { rangeOfDigestPrefix } from './digest-range.js';
import { factColumns, type FactRow, factsOf, type InventoryFacts } from './manifests.read-model.js';
import { isWithin, rangeOfTerm } from './name-range.js';
import { isInScope, type SearchScope } from './search-scope.js';

/** Places, and tags of a place, in one row of an answer. */
export const maxPlacesFound = 5;
const maxTagsFound = 5;

/** A repository that holds what was found. */
export interface FoundPlace {
  readonly registryId: string;
  readonly repository: RepositoryName;
  /** That name it there and are what was searched for: some. */
  readonly tags: readonly Tag[];
}

/** Content that was found. */
export interface FoundArtifact {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
  /** Of a manifest that was read. */
  readonly facts: InventoryFacts | undefined;
  /** At most `maxPlacesFound`. */
  readonly places: readonly FoundPlace[];
  readonly hasMorePlaces: boolean;
}

export interface ArtifactSearch extends SearchScope {
  readonly annotation: { readonly key: string; readonly value: string } | undefined;
  /** First digits, with the algorithm before them or without. */
  readonly digest: string | undefined;
  /** A name, or with a `*` at its end all that begin so: of what names it where it is. */
  readonly tag: string | undefined;
  readonly after: Digest | undefined;
  readonly limit: number;
}

/** What is in a repository that the caller may see, by digest. */
export async function searchArtifacts(tables: Tables, search: ArtifactSearch): Promise<BoundedPage<FoundArtifact, Digest>> {
  const lookedAt = candidates(search);
  return await readBoundedPage<FoundArtifact, Digest>({
    limit: search.limit,
    read: async (count) => {
      const rows = await tables.$queryRaw<FoundRow[]>`
        SELECT d.digest, c.media_type, c.size, p.places, ${factColumns}
        FROM (SELECT k.digest ${lookedAt} LIMIT ${maxLookedAt}) d
          CROSS JOIN LATERAL (SELECT media_type, size FROM content WHERE digest = d.digest LIMIT 1) c
          CROSS JOIN LATERAL (SELECT json_agg(f) AS places FROM (${placesOf(search)}) f) p
          LEFT JOIN LATERAL (SELECT * FROM manifest WHERE digest = d.digest LIMIT 1) m ON true
        WHERE p.places IS NOT NULL ORDER BY d.digest LIMIT ${count}`;
      return rows.map(toFound);
    },
    positionOf: ({ digest }) => digest,
    lastLookedAt: async () => {
      const [last] = await tables.$queryRaw<{ digest: Uint8Array }[]>`SELECT k.digest ${lookedAt} OFFSET ${maxLookedAt - 1} LIMIT 1`;
      return last === undefined ? undefined : digestFromBytes(last.digest);
    },
  });
}

/** Digests `k` in order: of an annotation, or all that are known. */
function candidates({ annotation, digest, after }: ArtifactSearch): Prisma.Sql {
  const { from, until, length } = rangeOfDigestPrefix(digest ?? '');
  const conditions = [
    Prisma.sql`k.digest >= ${from}`,
    ...(annotation === undefined ? [] : [Prisma.sql`k.key = ${annotation.key} AND k.value = ${annotation.value}`]),
    ...(until === undefined ? [] : [Prisma.sql`k.digest < ${until}`]),
    ...(length === undefined ? [] : [Prisma.sql`octet_length(k.digest) = ${length}`]),
    ...(after === undefined ? [] : [Prisma.sql`k.digest > ${digestToBytes(after)}`]),
  ];
  const table = annotation === undefined ? Prisma.sql`content` : Prisma.sql`manifest_annotation`;
  return Prisma.sql`FROM ${table} k WHERE ${Prisma.join(conditions, ' AND ')} ORDER BY k.digest`;
}

/** Where `d.digest` is, by registry and repository. */
function placesOf(search: ArtifactSearch): Prisma.Sql {
  const { tag } = search;
  const scoped = { registry: Prisma.sql`q.registry_id`, name: Prisma.sql`q.repository` };
  const meant = tag === undefined ? Prisma.empty : Prisma.sql`AND ${isWithin(Prisma.sql`g.name`, rangeOfTerm(tag))}`;
  return Prisma.sql`
    SELECT q.registry_id AS registry, q.repository, coalesce(t.tags, '{}') AS tags
    FROM placement q
      LEFT JOIN LATERAL (SELECT id FROM repository WHERE registry_id = q.registry_id AND name = q.repository LIMIT 1) r ON true
      CROSS JOIN LATERAL (
        SELECT array_agg(n.name) AS tags FROM (
          SELECT g.name FROM tag g
          WHERE g.digest = q.digest AND g.repository_id = r.id AND g.gone_at IS NULL AND NOT g.is_reserved ${meant} ORDER BY g.name LIMIT ${maxTagsFound}
        ) n
      ) t
    WHERE q.digest = d.digest AND q.seen_until IS NULL AND ${isInScope(search, scoped)} ${tag === undefined ? Prisma.empty : Prisma.sql`AND t.tags IS NOT NULL`}
    ORDER BY q.registry_id, q.repository LIMIT ${maxPlacesFound + 1}`;
}

interface FoundRow extends FactRow {
  readonly digest: Uint8Array;
  readonly media_type: string;
  readonly size: bigint;
  readonly places: readonly { readonly registry: string; readonly repository: RepositoryName; readonly tags: readonly Tag[] }[];
}

function toFound(row: FoundRow): FoundArtifact {
  return {
    digest: digestFromBytes(row.digest),
    mediaType: row.media_type,
    size: Number(row.size),
    facts: factsOf(row),
    places: row.places.slice(0, maxPlacesFound).map(({ registry: registryId, repository, tags }) => ({ registryId, repository, tags })),
    hasMorePlaces: row.places.length > maxPlacesFound,
  };
}
