import { type IdSource, uuidV7 } from '@waybill/kernel';
import { type Digest, digestFromBytes, digestToBytes, type RepositoryName, type Tag } from '@waybill/oci-model';
import { beingCollected } from '../collection/being-collected.js';
import type { Database, Tables } from '../database.js';
import { Prisma } from '../generated/client.js';

/** A manifest that is about to be deleted, as the trash keeps it. */
export interface NewTrash {
  readonly registryId: string;
  readonly repository: RepositoryName;
  readonly runId: string;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly manifest: Uint8Array;
  /** Those that name it now. */
  readonly tags: readonly Tag[];
  /** Itself and the manifests beneath it, what lists others before them; empty where the registry holds nothing of it. */
  readonly holds: readonly Digest[];
  /** What it says something about. */
  readonly refers: readonly Digest[];
  /** Where the registry holds it. */
  readonly trashRepository?: RepositoryName;
  /** How long it can be brought back. */
  readonly ttlMs: number;
}

/** What is to leave the trash for good, under a lease. */
export interface Leaving {
  readonly id: string;
  readonly registryId: string;
  /** The registry's name, and whether it means another one by now. */
  readonly registry: string;
  readonly isReplaced: boolean;
  readonly trashRepository: RepositoryName | undefined;
  /** Manifests that nothing else in the trash needs; what lists others stands before them. */
  readonly manifests: readonly Digest[];
  readonly fence: bigint;
}

/**
 * What registries hold of what was deleted.
 *
 * Invariants: a row is there before its content is, and has gone only after it; what is emptied is decided under the lock of the
 * repository under which rows are begun, so that nothing is emptied that a later row takes for held.
 */
export class RetentionTrash {
  readonly #database: Database;
  readonly #ids: IdSource;

  constructor(database: Database, options: { readonly ids?: IdSource } = {}) {
    this.#database = database;
    this.#ids = options.ids ?? uuidV7;
  }

  /**
   * Before content is brought to the trash; said twice it is the same row, with what was said last.
   * `emptying`: what it shares with something else is just being removed from there, so it has to wait.
   */
  async begin(entry: NewTrash): Promise<'emptying' | { readonly id: string }> {
    return this.#database.transaction(async (tables) => {
      await lockTrash(tables, entry.registryId, entry.repository);
      if (await isEmptying(tables, entry)) return 'emptying';
      const id = await keepRow(tables, this.#ids.next(), entry);
      await linkRow(tables, id, entry);
      return { id };
    });
  }

  /** All of it is held: from now on it may be deleted, and can be brought back. */
  async kept(id: string): Promise<void> {
    await this.#database.tables.$executeRaw`UPDATE retention_trash SET kept_at = coalesce(kept_at, now()) WHERE id = ${id}::uuid`;
  }

  /**
   * What has been there for long enough, or was brought back: one at a time, for `leaseMs`. From then on it cannot be brought back
   * any more. Undefined when there is nothing.
   */
  async claimLeaving(holder: string, leaseMs: number): Promise<Leaving | undefined> {
    for (;;) {
      const [next] = await this.#database.tables.$queryRaw<{ id: string; registry_id: string; repository: string }[]>`
        SELECT id, registry_id, repository FROM retention_trash t
        WHERE ${mayLeave} AND NOT ${beingCollected(Prisma.sql`registry_id`)} ORDER BY expires_at LIMIT 1`;
      if (next === undefined) return undefined;
      const leaving = await this.#database.transaction(async (tables) => {
        await lockTrash(tables, next.registry_id, next.repository);
        return claim(tables, next.id, { holder, leaseMs });
      });
      if (leaving !== undefined) return leaving;
    }
  }

  /** Nothing of it is in the trash any more; false when the lease was lost. */
  async left({ id, fence }: Leaving): Promise<boolean> {
    const count = await this.#database.tables.$executeRaw`
      UPDATE retention_trash SET cleared_at = now(), lease_holder = NULL, lease_expires_at = NULL WHERE ${held(id, fence)}`;
    return count > 0;
  }

  /** It is tried again after `delayMs`. */
  async leaveLater({ id, fence }: Leaving, delayMs: number): Promise<void> {
    await this.#database.tables.$executeRaw`
      UPDATE retention_trash SET lease_expires_at = now() + ${delayMs} * interval '1 millisecond', lease_fence = lease_fence + 1
      WHERE ${held(id, fence)}`;
  }

  /** False when the lease is lost. */
  async renew({ id, fence }: Leaving, leaseMs: number): Promise<boolean> {
    const count = await this.#database.tables.$executeRaw`
      UPDATE retention_trash SET lease_expires_at = now() + ${leaseMs} * interval '1 millisecond' WHERE ${held(id, fence)}`;
    return count > 0;
  }
}

/** Of a row `t`: its period begins when it was deleted, for which its run may still copy other things. */
const isYetToGo = Prisma.sql`EXISTS (
  SELECT 1 FROM retention_mark m
  WHERE m.registry_id = t.registry_id AND m.repository = t.repository AND m.digest = t.digest AND m.run_id = t.run_id
    AND m.settled_at IS NULL)`;

const mayLeave = Prisma.sql`cleared_at IS NULL AND wanted_by IS NULL
  AND (restored_at IS NOT NULL OR emptied_at IS NOT NULL OR (expires_at <= now() AND NOT ${isYetToGo}))
  AND (lease_expires_at IS NULL OR lease_expires_at < now())`;

function held(id: string, fence: bigint): Prisma.Sql {
  return Prisma.sql`id = ${id}::uuid AND lease_fence = ${fence} AND lease_expires_at > now() AND cleared_at IS NULL`;
}

/** Held to the transaction's end: what the trash of one repository holds and loses is decided by one at a time. */
export async function lockTrash(tables: Tables, registryId: string, repository: string): Promise<void> {
  await tables.$queryRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`trash ${registryId} ${repository}`}, 0))::text`;
}

/** Does somebody remove what this needs? Whoever began that has made up its mind: a purge without a lease on the row. */
async function isEmptying(tables: Tables, { registryId, repository, holds }: NewTrash): Promise<boolean> {
  const [row] = await tables.$queryRaw<{ found: boolean }[]>`
    SELECT EXISTS (
      SELECT 1 FROM retention_trash_link l JOIN retention_trash t ON t.id = l.trash_id
      WHERE l.kind = 'holds' AND l.digest = ANY(${holds.map(digestToBytes)}::bytea[])
        AND t.registry_id = ${registryId}::uuid AND t.repository = ${repository} AND t.cleared_at IS NULL
        AND (t.lease_expires_at IS NOT NULL OR t.emptied_at IS NOT NULL)
    ) AS found`;
  return row?.found ?? false;
}

async function keepRow(tables: Tables, newId: string, entry: NewTrash): Promise<string> {
  const { registryId, repository, runId, digest, mediaType, manifest, tags, trashRepository, ttlMs } = entry;
  const [row] = await tables.$queryRaw<{ id: string }[]>`
    INSERT INTO retention_trash (id, registry_id, repository, digest, run_id, media_type, manifest, tags, trash_repository, expires_at)
    VALUES (${newId}::uuid, ${registryId}::uuid, ${repository}, ${digestToBytes(digest)}, ${runId}::uuid, ${mediaType}, ${manifest},
      ${JSON.stringify(tags)}::jsonb, ${trashRepository ?? null}, now() + ${ttlMs} * interval '1 millisecond')
    ON CONFLICT (registry_id, repository, digest) WHERE restored_at IS NULL AND emptied_at IS NULL DO UPDATE
    SET run_id = excluded.run_id, tags = excluded.tags, trash_repository = excluded.trash_repository, deleted_at = now(),
      expires_at = excluded.expires_at
    RETURNING id`;
  if (row === undefined) throw new Error('the trash kept no row');
  return row.id;
}

async function linkRow(tables: Tables, id: string, { holds, refers }: NewTrash): Promise<void> {
  const links = [
    ...holds.map((digest, position) => ({ kind: 'holds', digest, position })),
    ...refers.map((digest, position) => ({ kind: 'refers', digest, position })),
  ];
  await tables.retentionTrashLink.createMany({
    data: links.map(({ kind, digest, position }) => ({ trashId: id, kind, digest: digestToBytes(digest), position })),
    skipDuplicates: true,
  });
}

interface ClaimedRow {
  readonly registry_id: string;
  readonly repository: string;
  readonly name: string;
  readonly is_replaced: boolean;
  readonly trash_repository: RepositoryName | null;
  readonly lease_fence: bigint;
}

async function claim(
  tables: Tables,
  id: string,
  { holder, leaseMs }: { readonly holder: string; readonly leaseMs: number },
): Promise<Leaving | undefined> {
  const [row] = await tables.$queryRaw<ClaimedRow[]>`
    UPDATE retention_trash t
    SET emptied_at = CASE WHEN t.restored_at IS NULL THEN coalesce(t.emptied_at, now()) END, lease_holder = ${holder},
      lease_fence = t.lease_fence + 1, lease_expires_at = now() + ${leaseMs} * interval '1 millisecond'
    FROM registry r
    WHERE t.id = ${id}::uuid AND r.id = t.registry_id AND ${mayLeave}
    RETURNING t.registry_id, t.repository, r.name, r.replaced_at IS NOT NULL AS is_replaced, t.trash_repository, t.lease_fence`;
  if (row === undefined) return undefined;
  const manifests = await tables.$queryRaw<{ digest: Uint8Array }[]>`
    SELECT l.digest FROM retention_trash_link l
    WHERE l.trash_id = ${id}::uuid AND l.kind = 'holds' AND NOT EXISTS (
      SELECT 1 FROM retention_trash_link o JOIN retention_trash t ON t.id = o.trash_id
      WHERE o.digest = l.digest AND o.kind = 'holds' AND t.registry_id = ${row.registry_id}::uuid AND t.repository = ${row.repository}
        AND t.restored_at IS NULL AND t.emptied_at IS NULL
    )
    ORDER BY l.position`;
  return {
    id,
    registryId: row.registry_id,
    registry: row.name,
    isReplaced: row.is_replaced,
    trashRepository: row.trash_repository ?? undefined,
    manifests: manifests.map(({ digest }) => digestFromBytes(digest)),
    fence: row.lease_fence,
  };
}
