import { type Digest, digestFromBytes, digestToBytes, manifestMediaTypes, referrersTagOf } from '@waybill/oci-model';
import type { Database } from '../database.js';
import { Prisma } from '../generated/client.js';
import { factColumns, type FactRow, factsOf, type InventoryFacts } from './manifests.read-model.js';
import { isInScope, type SearchScope } from './search-scope.js';

/** A blob that a manifest names itself. */
export interface NamedBlob {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
  /** Other manifests that name it and that the caller may see; counted up to `maxSharing`. */
  readonly sharing: number;
}

/**
 * How it is known that one artifact refers to another. `subject`: its manifest says so; `fallback-tag` and `cosign-tag`: it stands, or
 * stood, under such a reserved tag.
 */
export type ReferrerWay = 'subject' | 'fallback-tag' | 'cosign-tag';

/** What refers to an artifact. */
export interface KnownReferrer {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
  readonly artifactType: string | undefined;
  readonly ways: readonly ReferrerWay[];
}

/** What the inventory knows of one manifest or blob. */
export interface ArtifactRelations {
  /** Of a manifest that was read. */
  readonly facts: InventoryFacts | undefined;
  /** At most `maxRelations`, by digest. */
  readonly blobs: readonly NamedBlob[];
  readonly referrers: readonly KnownReferrer[];
}

export type RelationScope = Pick<SearchScope, 'registries' | 'visible'>;

export const maxRelations = 100;
export const maxSharing = 10;
/** Of what stands elsewhere, so much is looked at to find what the caller may see; in the order of an index, or all of a table might be read. */
const maxLookedThrough = 200;

/** What hangs together with a digest, as far as it stands where the caller may see it. */
export class InventoryRelations {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Nothing of what never stood where the caller may see it. */
  async read(digest: Digest, scope: RelationScope): Promise<ArtifactRelations> {
    if (!(await this.#hasStood(digest, scope))) return { facts: undefined, blobs: [], referrers: [] };
    const [facts, blobs, referrers] = await Promise.all([this.#facts(digest), this.#blobs(digest, scope), this.#referrers(digest, scope)]);
    return { facts, blobs, referrers };
  }

  async #hasStood(digest: Digest, scope: RelationScope): Promise<boolean> {
    const rows = await this.#database.tables.$queryRaw<object[]>`${placesOf(Prisma.sql`${digestToBytes(digest)}`, scope)} LIMIT 1`;
    return rows.length > 0;
  }

  async #facts(digest: Digest): Promise<InventoryFacts | undefined> {
    const rows = await this.#database.tables.$queryRaw<
      FactRow[]
    >`SELECT ${factColumns} FROM manifest m WHERE m.digest = ${digestToBytes(digest)}`;
    return rows[0] === undefined ? undefined : factsOf(rows[0]);
  }

  async #blobs(digest: Digest, scope: RelationScope): Promise<NamedBlob[]> {
    const rows = await this.#database.tables.$queryRaw<BlobRow[]>`
      SELECT e.child AS digest, c.media_type, c.size, s.sharing
      FROM (
        SELECT child FROM content_edge WHERE parent = ${digestToBytes(digest)} AND kind = 'child' ORDER BY child LIMIT ${maxLookedThrough}
      ) e
        CROSS JOIN LATERAL (
          SELECT media_type, size FROM content WHERE digest = e.child AND media_type <> ALL(${[...manifestMediaTypes]}::text[]) LIMIT 1
        ) c
        CROSS JOIN LATERAL (
          SELECT count(*) AS sharing FROM (
            SELECT 1 FROM (
              SELECT parent FROM content_edge WHERE child = e.child AND kind = 'child' AND parent <> ${digestToBytes(digest)} ORDER BY parent LIMIT ${maxLookedThrough}
            ) o CROSS JOIN LATERAL (${placeOf(Prisma.sql`o.parent`, scope)}) p LIMIT ${maxSharing}
          ) others
        ) s
      ORDER BY e.child LIMIT ${maxRelations}`;
    return rows.map((row) => ({
      digest: digestFromBytes(row.digest),
      mediaType: row.media_type,
      size: Number(row.size),
      sharing: Number(row.sharing),
    }));
  }

  async #referrers(digest: Digest, scope: RelationScope): Promise<KnownReferrer[]> {
    const edges = (kind: string) => Prisma.sql`
      (SELECT parent, kind FROM content_edge WHERE child = ${digestToBytes(digest)} AND kind = ${kind} ORDER BY parent LIMIT ${maxLookedThrough})`;
    const rows = await this.#database.tables.$queryRaw<ReferrerRow[]>`
      SELECT e.parent AS digest, c.media_type, c.size, m.artifact_type, e.kinds, t.is_plain
      FROM (
        SELECT parent, array_agg(kind) AS kinds FROM (${edges('subject')} UNION ALL ${edges('reserved-tag')}) said GROUP BY parent
      ) e
        CROSS JOIN LATERAL (SELECT media_type, size FROM content WHERE digest = e.parent LIMIT 1) c
        LEFT JOIN LATERAL (SELECT artifact_type FROM manifest WHERE digest = e.parent LIMIT 1) m ON true
        LEFT JOIN LATERAL (
          SELECT name = ${referrersTagOf(digest)} AS is_plain FROM tag
          WHERE digest = e.parent AND is_reserved AND starts_with(name, ${referrersTagOf(digest)}) LIMIT 1
        ) t ON true
        CROSS JOIN LATERAL (${placeOf(Prisma.sql`e.parent`, scope)}) p
      ORDER BY e.parent LIMIT ${maxRelations}`;
    return rows.map((row) => ({
      digest: digestFromBytes(row.digest),
      mediaType: row.media_type,
      size: Number(row.size),
      artifactType: row.artifact_type ?? undefined,
      ways: waysOf(row),
    }));
  }
}

/** Places `q` of a digest, that it may have left, where the caller may see it. */
function placesOf(digest: Prisma.Sql, scope: RelationScope): Prisma.Sql {
  const at = { registry: Prisma.sql`q.registry_id`, name: Prisma.sql`q.repository` };
  return Prisma.sql`SELECT 1 AS place FROM placement q WHERE q.digest = ${digest} AND ${isInScope({ ...scope, repository: undefined }, at)}`;
}

/** One place where a digest is now. */
function placeOf(digest: Prisma.Sql, scope: RelationScope): Prisma.Sql {
  return Prisma.sql`${placesOf(digest, scope)} AND q.seen_until IS NULL LIMIT 1`;
}

interface BlobRow {
  readonly digest: Uint8Array;
  readonly media_type: string;
  readonly size: bigint;
  readonly sharing: bigint;
}

interface ReferrerRow {
  readonly digest: Uint8Array;
  readonly media_type: string;
  readonly size: bigint;
  readonly artifact_type: string | null;
  readonly kinds: readonly ('subject' | 'reserved-tag')[];
  /** Whether its reserved tag is the digest alone, as that of the fallback is; null where no such tag is known any more. */
  readonly is_plain: boolean | null;
}

function waysOf({ kinds, is_plain: isPlain }: ReferrerRow): ReferrerWay[] {
  return [
    ...(kinds.includes('subject') ? ['subject' as const] : []),
    ...(kinds.includes('reserved-tag') ? [isPlain === true ? ('fallback-tag' as const) : ('cosign-tag' as const)] : []),
  ];
}
