import { type Digest, digestFromBytes, type RepositoryName, type Tag } from '@waybill/oci-model';
import type { Database } from '../database.js';
import { Prisma } from '../generated/client.js';
import { isWithin, rangeOfPrefix } from './name-range.js';

/** How it is known what a tag named: we wrote it, the registry told of it, or a look at it showed it. */
export type TagSource = 'effect' | 'notification' | 'crawl';

/** A tag as it was seen last. */
export interface InventoryTag {
  readonly name: Tag;
  readonly digest: Digest;
  /** Of cosign or of the fallback for referrers. */
  readonly isReserved: boolean;
  readonly firstSeenAt: Date;
  /** When it came to name the digest, as far as is known: a crawl sees it later than it happened. */
  readonly taggedAt: Date;
  readonly source: TagSource;
  /** Since when a list that lost too much to be believed has lacked it. */
  readonly missingSince: Date | undefined;
  readonly mediaType: string | undefined;
  readonly size: number | undefined;
}

export interface TagList {
  readonly repositoryId: bigint;
  /** How names begin; all when empty. */
  readonly prefix: string;
  readonly withReserved: boolean;
  readonly after: string | undefined;
  readonly limit: number;
}

/** What was seen of a tag at one moment. */
export interface InventoryTagEvent {
  readonly id: bigint;
  /** Undefined when it was gone. */
  readonly digest: Digest | undefined;
  readonly previous: Digest | undefined;
  readonly source: TagSource;
  readonly at: Date;
}

export interface TagHistory {
  readonly registryId: string;
  readonly repository: RepositoryName;
  readonly tag: Tag;
  /** Events before this one. */
  readonly before: bigint | undefined;
  readonly limit: number;
}

/** Tags as the inventory has them. */
export class InventoryTags {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Those of a repository that are not gone, by name. */
  async list(list: TagList): Promise<InventoryTag[]> {
    const ordinary = nextTags(list, Prisma.sql`NOT c.is_reserved`);
    const next = list.withReserved ? Prisma.sql`(${ordinary}) UNION ALL (${nextTags(list, Prisma.sql`c.is_reserved`)})` : ordinary;
    const rows = await this.#database.tables.$queryRaw<TagRow[]>`
      SELECT t.name, t.digest, t.is_reserved, t.first_seen_at, t.tagged_at, t.tagged_at_source, t.missing_since, c.media_type, c.size
      FROM (${next}) t LEFT JOIN LATERAL (SELECT media_type, size FROM content WHERE digest = t.digest LIMIT 1) c ON true
      ORDER BY t.name COLLATE "C" LIMIT ${list.limit}`;
    return rows.map(toTag);
  }

  /** What a tag named, the newest first. */
  async history({ registryId, repository, tag, before, limit }: TagHistory): Promise<InventoryTagEvent[]> {
    const earlier = before === undefined ? Prisma.empty : Prisma.sql`AND id < ${before}`;
    const rows = await this.#database.tables.$queryRaw<EventRow[]>`
      SELECT id, digest, previous_digest, source, observed_at FROM tag_event
      WHERE registry_id = ${registryId}::uuid AND repository = ${repository} AND tag = ${tag} ${earlier} ORDER BY id DESC LIMIT ${limit}`;
    return rows.map(({ id, digest, previous_digest: previous, source, observed_at: at }) => ({
      id,
      digest: digest === null ? undefined : digestFromBytes(digest),
      previous: previous === null ? undefined : digestFromBytes(previous),
      source,
      at,
    }));
  }
}

function nextTags({ repositoryId, prefix, after, limit }: TagList, kind: Prisma.Sql): Prisma.Sql {
  const further = after === undefined ? Prisma.empty : Prisma.sql`AND c.name COLLATE "C" > ${after}`;
  return Prisma.sql`
    SELECT c.* FROM tag c
    WHERE c.repository_id = ${repositoryId} AND c.gone_at IS NULL AND ${kind} AND ${isWithin(Prisma.sql`c.name`, rangeOfPrefix(prefix))} ${further}
    ORDER BY c.name COLLATE "C" LIMIT ${limit}`;
}

interface TagRow {
  readonly name: Tag;
  readonly digest: Uint8Array;
  readonly is_reserved: boolean;
  readonly first_seen_at: Date;
  readonly tagged_at: Date;
  readonly tagged_at_source: TagSource;
  readonly missing_since: Date | null;
  readonly media_type: string | null;
  readonly size: bigint | null;
}

interface EventRow {
  readonly id: bigint;
  readonly digest: Uint8Array | null;
  readonly previous_digest: Uint8Array | null;
  readonly source: TagSource;
  readonly observed_at: Date;
}

function toTag(row: TagRow): InventoryTag {
  return {
    name: row.name,
    digest: digestFromBytes(row.digest),
    isReserved: row.is_reserved,
    firstSeenAt: row.first_seen_at,
    taggedAt: row.tagged_at,
    source: row.tagged_at_source,
    missingSince: row.missing_since ?? undefined,
    mediaType: row.media_type ?? undefined,
    size: row.size === null ? undefined : Number(row.size),
  };
}
