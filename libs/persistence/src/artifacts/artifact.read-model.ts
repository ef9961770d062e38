import { type Digest, digestFromBytes, digestToBytes, type RepositoryName, type Tag } from '@waybill/oci-model';
import type { Database } from '../database.js';
import { Prisma } from '../generated/client.js';

/** A repository of a registry, by the id of what its name means or meant. */
export interface Place {
  readonly registryId: string;
  readonly repository: RepositoryName;
}

/** A place where a digest is known to be, to have been, or to be meant to go. */
export interface KnownPlace extends Place {
  /** How it is known: seen there by a run, written there and never read back, or promoted from there. */
  readonly record: 'placement' | 'effect' | 'source';
  /** Of a placement: when it was first seen, and when it was first missed. */
  readonly since: Date | undefined;
  readonly until: Date | undefined;
  /** The newest moment at which it is known to have been there. */
  readonly lastSeen: Date | undefined;
  /** The promotion that brought it, or else the newest that brought it from there. */
  readonly promotionId: string | undefined;
  /** What deleted it, where nothing was seen to bring it back since. */
  readonly deletion: KnownDeletion | undefined;
}

/** A deletion by a run of retention. */
export interface KnownDeletion {
  readonly at: Date;
  readonly runId: string;
  readonly policy: string;
  /** The approval of the policy that the run acted on. */
  readonly approvalId: string | undefined;
}

/** A tag that named the digest at a place, and what it was last known to name; undefined for nothing. */
export interface KnownTag extends Place {
  readonly tag: Tag;
  readonly names: Digest | undefined;
}

export interface KnownContent {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
}

/** What a digest is made of, what is made of it and what refers to it. */
export interface Relatives {
  readonly children: readonly KnownContent[];
  readonly parents: readonly KnownContent[];
  readonly referrers: readonly KnownContent[];
}

/** Tags of one place, and relatives of one kind, in one answer. */
const maxTags = 20;
const maxRelatives = 100;
/** Of what stands elsewhere, so much is looked at to find relatives at the asked places. */
const maxRelativesRead = 1_000;
/** Tags are looked for in this many of the newest promotions, and of the newest events at a place. */
const maxPromotionsRead = 100;
const maxEventsRead = 100;

const beforeAll: Place = { registryId: '00000000-0000-0000-0000-000000000000', repository: '' as RepositoryName };

/** Answers where a digest is, as far as it was written down. */
export class ArtifactReadModel {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Places that a digest is known at, by registry id and repository. Each is found by one step in an index,
   * however many promotions went there.
   */
  async places(digest: Digest, page: { readonly after?: Place | undefined; readonly limit: number }): Promise<KnownPlace[]> {
    const { registryId, repository } = page.after ?? beforeAll;
    const rows = await this.#database.tables.$queryRaw<PlaceRow[]>`
      WITH RECURSIVE known (registry_id, repository, position) AS (
        SELECT ${registryId}::uuid, ${repository}::text, 0
        UNION ALL
        SELECT n.registry_id, n.repository, k.position + 1 FROM known k CROSS JOIN LATERAL (${nextPlace(digest)}) n WHERE k.position < ${page.limit}
      )
      SELECT k.registry_id, k.repository, p.seen_from, p.seen_until, e.promotion_id AS written_by, e.written_at,
        t.promotion_id AS seen_by, i.promotion_id AS promoted_by, o.requested_at,
        x.deleted_at, x.run_id AS deleted_by, x.policy AS deleted_for, x.approval_id AS deleted_on
      FROM known k
        LEFT JOIN LATERAL (
          SELECT seen_from, seen_until, seen_by FROM placement
          WHERE registry_id = k.registry_id AND repository = k.repository AND digest = ${digestToBytes(digest)} ORDER BY seen_from DESC LIMIT 1
        ) p ON true
        LEFT JOIN item_target t ON t.id = p.seen_by
        LEFT JOIN LATERAL (
          SELECT promotion_id, CASE outcome WHEN 'written' THEN settled_at END AS written_at FROM effect
          WHERE digest = ${digestToBytes(digest)} AND registry_id = k.registry_id AND repository = k.repository AND kind <> 'deletion'
          ORDER BY (outcome = 'written') DESC NULLS LAST, settled_at DESC NULLS LAST LIMIT 1
        ) e ON true
        LEFT JOIN LATERAL (
          SELECT promotion_id FROM promotion_item
          WHERE digest = ${digestToBytes(digest)} AND source_registry_id = k.registry_id AND source_repository = k.repository ORDER BY id DESC LIMIT 1
        ) i ON true
        LEFT JOIN promotion o ON o.id = i.promotion_id
        LEFT JOIN LATERAL (
          SELECT d.settled_at AS deleted_at, u.id AS run_id, u.policy, u.approval_id FROM effect d JOIN retention_run u ON u.id = d.retention_run_id
          WHERE d.digest = ${digestToBytes(digest)} AND d.registry_id = k.registry_id AND d.repository = k.repository AND d.kind = 'deletion'
            AND d.tag = '' AND d.outcome = 'deleted'
          ORDER BY d.settled_at DESC LIMIT 1
        ) x ON (x.deleted_at > e.written_at) IS NOT FALSE AND (p.seen_from IS NULL OR p.seen_until IS NOT NULL)
      WHERE k.position > 0 ORDER BY k.position`;
    return rows.map(toKnownPlace);
  }

  /** Tags of the places that named the digest, at most 20 each. */
  async tags(digest: Digest, places: readonly Place[]): Promise<KnownTag[]> {
    if (places.length === 0) return [];
    const rows = await this.#database.tables.$queryRaw<TagRow[]>`
      WITH recent AS (
        SELECT promotion_id FROM promotion_term WHERE kind = 'digest' AND term = ${digest} ORDER BY promotion_id DESC LIMIT ${maxPromotionsRead}
      ), promoted AS MATERIALIZED (
        SELECT i.id, i.source_registry_id, i.source_repository, i.source_tag
        FROM recent r JOIN promotion_item i ON i.promotion_id = r.promotion_id WHERE i.digest = ${digestToBytes(digest)}
      ), named AS (
        SELECT source_registry_id AS registry_id, source_repository AS repository, source_tag AS tag FROM promoted WHERE source_tag IS NOT NULL
        UNION
        SELECT t.registry_id, t.repository, g.tag
        FROM promoted i JOIN item_target t ON t.item_id = i.id JOIN item_target_tag g ON g.item_target_id = t.id
        WHERE g.outcome IN ('written', 'already-present')
      )
      SELECT w.registry AS registry_id, w.repository, t.tag, last.id IS NOT NULL AS noted, last.digest
      FROM ${recordsetOf(places)} CROSS JOIN LATERAL (
        SELECT tag FROM (
          SELECT tag FROM (
            SELECT tag FROM tag_event WHERE digest = ${digestToBytes(digest)} AND registry_id = w.registry AND repository = w.repository
            ORDER BY id DESC LIMIT ${maxEventsRead}
          ) seen
          UNION SELECT tag FROM named n WHERE n.registry_id = w.registry AND n.repository = w.repository
        ) known ORDER BY tag LIMIT ${maxTags}
      ) t LEFT JOIN LATERAL (
        SELECT id, digest FROM tag_event e WHERE e.registry_id = w.registry AND e.repository = w.repository AND e.tag = t.tag ORDER BY id DESC LIMIT 1
      ) last ON true
      ORDER BY w.registry, w.repository, t.tag`;
    return rows.map((row) => toKnownTag(row, digest));
  }

  /** Media type and size, if it was ever read back beneath a target's tag. */
  async content(digest: Digest): Promise<KnownContent | undefined> {
    const row = await this.#database.tables.content.findUnique({ where: { digest: digestToBytes(digest) } });
    return row === null ? undefined : { digest, mediaType: row.mediaType, size: Number(row.size) };
  }

  /**
   * What hangs together with a digest, at most 100 of each kind. What is above it and what refers to it
   * is told only as far as it was seen at one of the places: it may be somebody else's.
   */
  async relatives(digest: Digest, places: readonly Place[]): Promise<Relatives> {
    const [children, parents, referrers] = await Promise.all([
      this.#children(digest),
      this.#above(digest, 'child', places),
      this.#above(digest, 'subject', places),
    ]);
    return { children, parents, referrers };
  }

  async #children(digest: Digest): Promise<KnownContent[]> {
    const rows = await this.#database.tables.$queryRaw<ContentRow[]>`
      SELECT c.digest, c.media_type, c.size FROM content_edge e JOIN content c ON c.digest = e.child
      WHERE e.parent = ${digestToBytes(digest)} AND e.kind = 'child' ORDER BY e.child LIMIT ${maxRelatives}`;
    return rows.map(toContent);
  }

  async #above(digest: Digest, kind: 'child' | 'subject', places: readonly Place[]): Promise<KnownContent[]> {
    if (places.length === 0) return [];
    const rows = await this.#database.tables.$queryRaw<ContentRow[]>`
      WITH above AS (
        SELECT parent FROM content_edge WHERE child = ${digestToBytes(digest)} AND kind = ${kind} ORDER BY parent LIMIT ${maxRelativesRead}
      )
      SELECT c.digest, c.media_type, c.size FROM above a JOIN content c ON c.digest = a.parent
      WHERE EXISTS (
        SELECT 1 FROM ${recordsetOf(places)} JOIN placement p ON p.registry_id = w.registry AND p.repository = w.repository AND p.digest = a.parent)
      ORDER BY c.digest LIMIT ${maxRelatives}`;
    return rows.map(toContent);
  }
}

/** The place after `k`, of the three lists that know places. */
function nextPlace(digest: Digest): Prisma.Sql {
  const hash = digestToBytes(digest);
  return Prisma.sql`
    SELECT registry_id, repository FROM (
      (SELECT registry_id, repository FROM placement
        WHERE digest = ${hash} AND (registry_id, repository) > (k.registry_id, k.repository) ORDER BY registry_id, repository LIMIT 1)
      UNION ALL
      (SELECT registry_id, repository FROM effect
        WHERE digest = ${hash} AND (registry_id, repository) > (k.registry_id, k.repository) ORDER BY registry_id, repository LIMIT 1)
      UNION ALL
      (SELECT source_registry_id, source_repository FROM promotion_item
        WHERE digest = ${hash} AND (source_registry_id, source_repository) > (k.registry_id, k.repository)
        ORDER BY source_registry_id, source_repository LIMIT 1)
    ) candidate ORDER BY registry_id, repository LIMIT 1`;
}

/** The places as rows `w`. */
function recordsetOf(places: readonly Place[]): Prisma.Sql {
  const rows = places.map(({ registryId, repository }) => ({ registry: registryId, repository }));
  return Prisma.sql`jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS w (registry uuid, repository text)`;
}

interface PlaceRow {
  readonly registry_id: string;
  readonly repository: RepositoryName;
  readonly seen_from: Date | null;
  readonly seen_until: Date | null;
  readonly seen_by: string | null;
  readonly written_by: string | null;
  readonly written_at: Date | null;
  readonly promoted_by: string | null;
  readonly requested_at: Date | null;
  readonly deleted_at: Date | null;
  readonly deleted_by: string | null;
  readonly deleted_for: string | null;
  readonly deleted_on: string | null;
}

interface TagRow {
  readonly registry_id: string;
  readonly repository: RepositoryName;
  readonly tag: Tag;
  readonly noted: boolean;
  readonly digest: Uint8Array | null;
}

interface ContentRow {
  readonly digest: Uint8Array;
  readonly media_type: string;
  readonly size: bigint;
}

function toKnownPlace(row: PlaceRow): KnownPlace {
  return {
    registryId: row.registry_id,
    repository: row.repository,
    record: recordOf(row),
    since: row.seen_from ?? undefined,
    until: row.seen_until ?? undefined,
    lastSeen: newest([row.seen_from, row.seen_until, row.written_at, row.requested_at]),
    promotionId: row.seen_by ?? row.written_by ?? row.promoted_by ?? undefined,
    deletion: deletionOf(row),
  };
}

function deletionOf({ deleted_at: at, deleted_by: runId, deleted_for: policy, deleted_on: approvalId }: PlaceRow): KnownPlace['deletion'] {
  return at === null || runId === null || policy === null ? undefined : { at, runId, policy, approvalId: approvalId ?? undefined };
}

function recordOf({ seen_from: seenFrom, promoted_by: promotedBy }: PlaceRow): KnownPlace['record'] {
  if (seenFrom !== null) return 'placement';
  return promotedBy === null ? 'effect' : 'source';
}

function newest(times: readonly (Date | null)[]): Date | undefined {
  const known = times.filter((time) => time !== null).map((time) => time.getTime());
  return known.length === 0 ? undefined : new Date(Math.max(...known));
}

/** A tag that nobody has seen change since names what it named. */
function toKnownTag({ registry_id: registryId, repository, tag, noted, digest: last }: TagRow, digest: Digest): KnownTag {
  if (!noted) return { registryId, repository, tag, names: digest };
  return { registryId, repository, tag, names: last === null ? undefined : digestFromBytes(last) };
}

function toContent({ digest, media_type: mediaType, size }: ContentRow): KnownContent {
  return { digest: digestFromBytes(digest), mediaType, size: Number(size) };
}
