import { digestFromBytes, type Digest, type RepositoryName, type Tag } from '@waybill/oci-model';
import type { RepositoryState } from '@waybill/inventory';
import type { Tables } from '../database.js';
import { Prisma } from '../generated/client.js';
import { type BoundedPage, maxLookedAt, readBoundedPage, readRanges } from './bounded-page.js';
import { isWithin, type NameRange, rangeOfTerm } from './name-range.js';
import { isFrom, isInScope, positionAt, rangesFrom, type SearchScope } from './search-scope.js';
import type { TagSource } from './tags.read-model.js';

/** A tag that was found. */
export interface FoundTag {
  readonly registryId: string;
  readonly repositoryId: bigint;
  readonly repository: RepositoryName;
  readonly state: RepositoryState;
  readonly tag: Tag;
  readonly digest: Digest;
  readonly taggedAt: Date;
  readonly source: TagSource;
  readonly mediaType: string | undefined;
}

/** Where a page of tags begins: after this tag of that repository. */
export interface TagPosition {
  readonly tag: string;
  readonly repositoryId: bigint;
}

export interface TagSearch extends SearchScope {
  readonly tag: string;
  readonly after: TagPosition | undefined;
  readonly limit: number;
}

/** After every tag of a repository. */
const afterAllTags = '~';

/** Tags that are not reserved: by tag and repository where all repositories are meant, else by repository and tag. */
export async function searchTags(tables: Tables, search: TagSearch): Promise<BoundedPage<FoundTag, TagPosition>> {
  return search.repository === undefined ? await searchByTag(tables, search) : await searchByRepository(tables, search);
}

const columns = Prisma.sql`r.registry_id, r.id, r.name, r.state, t.name AS tag, t.digest, t.tagged_at, t.tagged_at_source, c.media_type`;
const named = Prisma.sql`LEFT JOIN LATERAL (SELECT media_type FROM content WHERE digest = t.digest LIMIT 1) c ON true`;
const scoped = { registry: Prisma.sql`r.registry_id`, name: Prisma.sql`r.name` };

async function searchByTag(tables: Tables, search: TagSearch): Promise<BoundedPage<FoundTag, TagPosition>> {
  const { tag, after, limit } = search;
  const lookedAt = Prisma.sql`
    FROM tag g WHERE g.gone_at IS NULL AND NOT g.is_reserved AND ${isFromTag(rangeOfTerm(tag), after)}
    ORDER BY g.name COLLATE "C", g.repository_id`;
  return await readBoundedPage<FoundTag, TagPosition>({
    limit,
    read: async (count) => {
      const found = await readInScope(tables, search, { lookedAt, count });
      if (found !== undefined) return found;
      const rows = await tables.$queryRaw<FoundRow[]>`
        SELECT ${columns} FROM (SELECT g.* ${lookedAt} LIMIT ${maxLookedAt}) t
          CROSS JOIN LATERAL (SELECT r.* FROM repository r WHERE r.id = t.repository_id AND ${isInScope(search, scoped)} LIMIT 1) r ${named}
        ORDER BY t.name COLLATE "C", t.repository_id LIMIT ${count}`;
      return rows.map(toFound);
    },
    positionOf,
    lastLookedAt: async () => {
      const [last] = await tables.$queryRaw<{ name: string; repository_id: bigint }[]>`
        SELECT g.name, g.repository_id ${lookedAt} OFFSET ${maxLookedAt - 1} LIMIT 1`;
      return last === undefined ? undefined : { tag: last.name, repositoryId: last.repository_id };
    },
  });
}

/**
 * The next tags where all of them are in scope, else undefined. Each repository is asked for once: of one that is large a page may hold
 * nothing else, and whether PostgreSQL remembers it from tag to tag depends on how many repositories there are.
 */
async function readInScope(
  tables: Tables,
  search: TagSearch,
  { lookedAt, count }: { readonly lookedAt: Prisma.Sql; readonly count: number },
): Promise<FoundTag[] | undefined> {
  const rows = await tables.$queryRaw<(FoundRow & { readonly looked_at: bigint })[]>`
    WITH t AS MATERIALIZED (SELECT g.* ${lookedAt} LIMIT ${count}), r AS MATERIALIZED (
      SELECT r.* FROM (SELECT DISTINCT repository_id FROM t) AS of_one
        CROSS JOIN LATERAL (SELECT r.* FROM repository r WHERE r.id = of_one.repository_id AND ${isInScope(search, scoped)} LIMIT 1) r
    )
    SELECT ${columns}, (SELECT count(*) FROM t) AS looked_at FROM t JOIN r ON r.id = t.repository_id ${named}
    ORDER BY t.name COLLATE "C", t.repository_id`;
  return rows.length === Number(rows[0]?.looked_at) ? rows.map(toFound) : undefined;
}

async function searchByRepository(tables: Tables, search: TagSearch): Promise<BoundedPage<FoundTag, TagPosition>> {
  const { after, limit } = search;
  const position = await positionAt(tables, after?.repositoryId);
  return await readRanges<NameRange, FoundTag, TagPosition>(rangesFrom(search, position), limit, (range, left) => {
    const lookedAt = Prisma.sql`
      FROM repository r WHERE ${isFrom(range, position, '>=')} ORDER BY r.name COLLATE "C", r.registry_id`;
    return {
      limit: left,
      read: async (count) => {
        const rows = await tables.$queryRaw<FoundRow[]>`
          SELECT ${columns} FROM (SELECT r.* ${lookedAt} LIMIT ${maxLookedAt}) r
            CROSS JOIN LATERAL (${tagsIn(search, count)}) t ${named}
          WHERE ${isInScope(search, scoped)} ORDER BY r.name COLLATE "C", r.registry_id, t.name COLLATE "C" LIMIT ${count}`;
        return rows.map(toFound);
      },
      positionOf,
      lastLookedAt: async () => {
        const [last] = await tables.$queryRaw<{ id: bigint }[]>`SELECT r.id ${lookedAt} OFFSET ${maxLookedAt - 1} LIMIT 1`;
        return last === undefined ? undefined : { tag: afterAllTags, repositoryId: last.id };
      },
    };
  });
}

/** There is one lower bound, as among repositories. */
function isFromTag(range: NameRange, after: TagPosition | undefined): Prisma.Sql {
  if (after === undefined || after.tag < range.from) return isWithin(Prisma.sql`g.name`, range);
  const end = range.until === undefined ? Prisma.empty : Prisma.sql`AND g.name COLLATE "C" < ${range.until}`;
  return Prisma.sql`(g.name COLLATE "C", g.repository_id) > (${after.tag}, ${after.repositoryId}) ${end}`;
}

/** Tags of the repository `r`; where the page before ended there may be more. */
function tagsIn({ tag, after }: TagSearch, limit: number): Prisma.Sql {
  const further =
    after === undefined
      ? Prisma.empty
      : Prisma.sql`AND g.name COLLATE "C" > CASE r.id WHEN ${after.repositoryId} THEN ${after.tag} ELSE '' END`;
  return Prisma.sql`
    SELECT g.* FROM tag g
    WHERE g.repository_id = r.id AND NOT g.is_reserved AND g.gone_at IS NULL AND ${isWithin(Prisma.sql`g.name`, rangeOfTerm(tag))} ${further}
    ORDER BY g.name COLLATE "C" LIMIT ${limit}`;
}

interface FoundRow {
  readonly registry_id: string;
  readonly id: bigint;
  readonly name: RepositoryName;
  readonly state: RepositoryState;
  readonly tag: Tag;
  readonly digest: Uint8Array;
  readonly tagged_at: Date;
  readonly tagged_at_source: TagSource;
  readonly media_type: string | null;
}

function positionOf({ tag, repositoryId }: FoundTag): TagPosition {
  return { tag, repositoryId };
}

function toFound(row: FoundRow): FoundTag {
  return {
    registryId: row.registry_id,
    repositoryId: row.id,
    repository: row.name,
    state: row.state,
    tag: row.tag,
    digest: digestFromBytes(row.digest),
    taggedAt: row.tagged_at,
    source: row.tagged_at_source,
    mediaType: row.media_type ?? undefined,
  };
}
