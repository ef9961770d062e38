import type { CreatedProblem, Platform } from '@waybill/inventory';
import { type Digest, digestFromBytes, digestToBytes, manifestMediaTypes, type RepositoryName, type Tag } from '@waybill/oci-model';
import type { Database } from '../database.js';
import { Prisma } from '../generated/client.js';
import { type BoundedPage, maxLookedAt, readBoundedPage } from './bounded-page.js';

/** Names of one manifest in one answer. */
export const maxTagsOfManifest = 20;

/** What a manifest says of itself, once its bytes were read. */
export interface InventoryFacts {
  readonly artifactType: string | undefined;
  readonly configMediaType: string | undefined;
  readonly createdAt: Date | undefined;
  /** Why nothing is known of when it was created. */
  readonly createdProblem: CreatedProblem | undefined;
  readonly platforms: readonly Platform[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly subject: Digest | undefined;
  /** Of the blobs that it names itself, each once. */
  readonly blobBytes: number;
  /** Why its bytes are not understood. */
  readonly unreadable: string | undefined;
}

/** A manifest in a repository. */
export interface InventoryManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
  /** Undefined until a crawl has read it. */
  readonly facts: InventoryFacts | undefined;
  readonly firstSeenAt: Date;
  readonly pushedAt: Date | undefined;
  readonly pushedSource: 'effect' | 'notification' | undefined;
  readonly lastPulledAt: Date | undefined;
  /** That name it here, reserved ones too: at most `maxTagsOfManifest`. */
  readonly tags: readonly Tag[];
  readonly hasMoreTags: boolean;
}

export type TagState = 'tagged' | 'untagged' | 'all';

export interface ManifestList {
  readonly registryId: string;
  readonly repositoryId: bigint;
  readonly repository: RepositoryName;
  readonly state: TagState;
  readonly after: Digest | undefined;
  readonly limit: number;
}

/** Manifests as the inventory has them. */
export class InventoryManifests {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Those in a repository, by digest. Each part of a row is one step in an index, however large the repository is. */
  async list(list: ManifestList): Promise<BoundedPage<InventoryManifest, Digest>> {
    const { tables } = this.#database;
    return await readBoundedPage<InventoryManifest, Digest>({
      limit: list.limit,
      read: async (limit) => {
        const rows = await tables.$queryRaw<ManifestRow[]>`
          SELECT p.digest, p.seen_from, p.pushed_at, p.pushed_at_source, p.last_pulled_at, c.media_type, c.size, t.tags, ${factColumns}
          FROM (SELECT p.* ${placesOf(list)} LIMIT ${maxLookedAt}) p
            CROSS JOIN LATERAL (
              SELECT media_type, size FROM content WHERE digest = p.digest AND media_type = ANY(${[...manifestMediaTypes]}::text[]) LIMIT 1
            ) c
            CROSS JOIN LATERAL (${tagsOf(list.repositoryId)}) t
            LEFT JOIN LATERAL (SELECT * FROM manifest WHERE digest = p.digest LIMIT 1) m ON true
          WHERE ${hasTags(list.state)} ORDER BY p.digest LIMIT ${limit}`;
        return rows.map(toManifest);
      },
      positionOf: ({ digest }) => digest,
      lastLookedAt: async () => {
        const [last] = await tables.$queryRaw<
          { digest: Uint8Array }[]
        >`SELECT p.digest ${placesOf(list)} OFFSET ${maxLookedAt - 1} LIMIT 1`;
        return last === undefined ? undefined : digestFromBytes(last.digest);
      },
    });
  }
}

/** Open placements `p`, blobs among them, by digest. */
function placesOf({ registryId, repository, after }: ManifestList): Prisma.Sql {
  const from = after === undefined ? Prisma.empty : Prisma.sql`AND p.digest > ${digestToBytes(after)}`;
  return Prisma.sql`FROM placement p
    WHERE p.registry_id = ${registryId}::uuid AND p.repository = ${repository} AND p.seen_until IS NULL ${from} ORDER BY p.digest`;
}

/** Tags of a repository that name `p.digest`. */
function tagsOf(repositoryId: bigint): Prisma.Sql {
  return Prisma.sql`
    SELECT array_agg(named.name) AS tags FROM (
      SELECT name FROM tag WHERE digest = p.digest AND repository_id = ${repositoryId} AND gone_at IS NULL ORDER BY name LIMIT ${maxTagsOfManifest + 1}
    ) named`;
}

function hasTags(state: TagState): Prisma.Sql {
  if (state === 'all') return Prisma.sql`true`;
  return state === 'tagged' ? Prisma.sql`t.tags IS NOT NULL` : Prisma.sql`t.tags IS NULL`;
}

/** Of a row `m`, which may be absent. */
export const factColumns = Prisma.sql`m.digest IS NOT NULL AS is_read, m.artifact_type, m.config_media_type, m.created_at, m.created_problem,
  m.platforms, m.annotations, m.subject, m.blob_bytes, m.unreadable`;

export interface FactRow {
  readonly is_read: boolean;
  readonly artifact_type: string | null;
  readonly config_media_type: string | null;
  readonly created_at: Date | null;
  readonly created_problem: CreatedProblem | null;
  readonly platforms: readonly Platform[] | null;
  readonly annotations: Readonly<Record<string, string>> | null;
  readonly subject: Uint8Array | null;
  readonly blob_bytes: bigint | null;
  readonly unreadable: string | null;
}

interface ManifestRow extends FactRow {
  readonly digest: Uint8Array;
  readonly seen_from: Date;
  readonly pushed_at: Date | null;
  readonly pushed_at_source: 'effect' | 'notification' | null;
  readonly last_pulled_at: Date | null;
  readonly media_type: string;
  readonly size: bigint;
  readonly tags: readonly Tag[] | null;
}

export function factsOf(row: FactRow): InventoryFacts | undefined {
  if (!row.is_read) return undefined;
  return {
    artifactType: row.artifact_type ?? undefined,
    configMediaType: row.config_media_type ?? undefined,
    createdAt: row.created_at ?? undefined,
    createdProblem: row.created_problem ?? undefined,
    platforms: row.platforms ?? [],
    annotations: row.annotations ?? {},
    subject: row.subject === null ? undefined : digestFromBytes(row.subject),
    blobBytes: Number(row.blob_bytes),
    unreadable: row.unreadable ?? undefined,
  };
}

function toManifest(row: ManifestRow): InventoryManifest {
  const tags = row.tags ?? [];
  return {
    digest: digestFromBytes(row.digest),
    mediaType: row.media_type,
    size: Number(row.size),
    facts: factsOf(row),
    firstSeenAt: row.seen_from,
    pushedAt: row.pushed_at ?? undefined,
    pushedSource: row.pushed_at_source ?? undefined,
    lastPulledAt: row.last_pulled_at ?? undefined,
    tags: tags.slice(0, maxTagsOfManifest),
    hasMoreTags: tags.length > maxTagsOfManifest,
  };
}
