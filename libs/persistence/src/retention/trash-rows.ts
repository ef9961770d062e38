import { type Digest, digestFromBytes, digestToBytes, type RepositoryName, type Tag } from '@waybill/oci-model';
import type { Database } from '../database.js';
import { Prisma } from '../generated/client.js';

/** Something that was deleted, and what became of it since. */
export interface TrashRow {
  readonly id: string;
  readonly registry: string;
  readonly repository: RepositoryName;
  readonly digest: Digest;
  readonly mediaType: string;
  /** Those that named it. */
  readonly tags: readonly Tag[];
  readonly runId: string;
  /** The policy by which it was deleted. */
  readonly policy: string;
  readonly deletedAt: Date;
  readonly expiresAt: Date;
  /** The restore that is to bring it back. */
  readonly wantedBy: string | null;
  readonly restoredAt: Date | null;
  readonly restoredBy: string | null;
  readonly emptiedAt: Date | null;
}

export interface TrashFilter {
  readonly registry?: string;
  readonly repository?: string;
  readonly digest?: Digest;
  readonly tag?: Tag;
  readonly run?: string;
}

export interface TrashPage extends TrashFilter {
  /** Ids sort by the time they were made: the newest first. */
  readonly before?: string;
  readonly limit: number;
  /** Those too that were brought back or emptied out. */
  readonly isHistory: boolean;
}

/** What is in the trash, as it is read. */
export class TrashRows {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async get(id: string): Promise<TrashRow | undefined> {
    const [row] = await this.#read(Prisma.sql`t.id = ${id}::uuid`, 1);
    return row;
  }

  list({ before, limit, isHistory, ...filter }: TrashPage): Promise<TrashRow[]> {
    const parts = [
      ...conditionsOf(filter),
      wasDeleted,
      ...(before === undefined ? [] : [Prisma.sql`t.id < ${before}::uuid`]),
      ...(isHistory ? [] : [Prisma.sql`t.restored_at IS NULL AND t.emptied_at IS NULL`]),
    ];
    return this.#read(Prisma.join(parts, ' AND '), limit);
  }

  async #read(condition: Prisma.Sql, limit: number): Promise<TrashRow[]> {
    const rows = await this.#database.tables.$queryRaw<RawRow[]>`
      SELECT t.id, r.name AS registry, t.repository, t.digest, t.media_type AS "mediaType", t.tags, t.run_id AS "runId", u.policy,
        t.deleted_at AS "deletedAt", t.expires_at AS "expiresAt", t.wanted_by AS "wantedBy", t.restored_at AS "restoredAt",
        t.restored_by AS "restoredBy", t.emptied_at AS "emptiedAt"
      FROM retention_trash t JOIN registry r ON r.id = t.registry_id JOIN retention_run u ON u.id = t.run_id
      WHERE ${condition} ORDER BY t.id DESC LIMIT ${limit}`;
    return rows.map((row) => ({ ...row, digest: digestFromBytes(row.digest) }));
  }
}

interface RawRow extends Omit<TrashRow, 'digest'> {
  readonly digest: Uint8Array;
}

/**
 * What is held and not deleted yet, or was spared after all, is no trash: it is still where it was, and may yet be deleted. Where
 * nobody could read back what became of a deletion it counts as deleted, and so does what the registry was seen to keep, which may carry
 * the deletion out later: to bring back what is still there changes nothing.
 */
export const wasDeleted = Prisma.sql`t.kept_at IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM retention_mark m
  WHERE m.registry_id = t.registry_id AND m.repository = t.repository AND m.digest = t.digest AND m.run_id = t.run_id
    AND m.state NOT IN ('deleted', 'failed'))`;

/** Of rows `t` that were deleted: it was read back after the deletion, and was there. */
export const isKnownToBeThere = Prisma.sql`EXISTS (
  SELECT 1 FROM effect e
  WHERE e.digest = t.digest AND e.registry_id = t.registry_id AND e.repository = t.repository AND e.retention_run_id = t.run_id
    AND e.kind = 'deletion' AND e.tag = '' AND e.outcome = 'not-deleted')`;

/** Of rows `t`. A registry is meant by its name as it is now. */
export function conditionsOf({ registry, repository, digest, tag, run }: TrashFilter): Prisma.Sql[] {
  return [
    ...(registry === undefined
      ? []
      : [Prisma.sql`t.registry_id IN (SELECT id FROM registry WHERE name = ${registry} AND replaced_at IS NULL)`]),
    ...(repository === undefined ? [] : [Prisma.sql`t.repository = ${repository}`]),
    ...(digest === undefined ? [] : [Prisma.sql`t.digest = ${digestToBytes(digest)}`]),
    ...(tag === undefined ? [] : [Prisma.sql`jsonb_exists(t.tags, ${tag})`]),
    ...(run === undefined ? [] : [Prisma.sql`t.run_id = ${run}::uuid`]),
  ];
}
