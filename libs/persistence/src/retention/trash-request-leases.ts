import { type Digest, digestFromBytes, type Manifest, type RepositoryName, type Tag } from '@waybill/oci-model';
import { beingCollected } from '../collection/being-collected.js';
import type { Database, Tables } from '../database.js';
import { Prisma } from '../generated/client.js';
import { storableJson } from '../registry-checks/storable-json.js';
import type { StoredError } from '../run/stored-error.js';
import { noteBack } from './place-of-trash.js';
import type { AskedOfTrash, TagReturn, TrashRequestKind } from './trash-requests.js';

/** The right to do what somebody asked for, until it expires. */
export interface TrashRequestLease {
  readonly id: string;
  readonly kind: TrashRequestKind;
  readonly registryId: string;
  /** The registry's name, and whether it means another one by now. */
  readonly registry: string;
  readonly isReplaced: boolean;
  readonly asked: AskedOfTrash;
  readonly requestedBy: string;
  /** How often it was begun, this time included. */
  readonly attempts: number;
  /** Raised with every claim: what carries an older one changes nothing. */
  readonly fence: bigint;
}

/** Something to be brought back. */
export interface RestorableRow {
  readonly trashId: string;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly tags: readonly Tag[];
  /** Where it is held; undefined where nothing but its bytes is kept. */
  readonly trashRepository: RepositoryName | undefined;
  readonly holds: readonly Digest[];
  readonly refers: readonly Digest[];
}

/** Brings each request to one worker; what carries a lease that is lost writes nothing and gives false. */
export class TrashRequestLeases {
  readonly #database: Database;
  readonly #leaseMs: number;

  constructor(database: Database, options: { readonly leaseMs: number }) {
    this.#database = database;
    this.#leaseMs = options.leaseMs;
  }

  /** Claims the oldest request whose time has come, also one whose worker is silent; undefined when none waits. */
  async claimNext(holder: string): Promise<TrashRequestLease | undefined> {
    const [row] = await this.#database.tables.$queryRaw<TrashRequestLease[]>`
      UPDATE retention_request q
      SET state = 'running', started_at = coalesce(started_at, now()), attempts = attempts + 1, lease_holder = ${holder},
        lease_fence = lease_fence + 1, lease_expires_at = now() + ${this.#lease}
      FROM (
        SELECT w.id, r.name, r.replaced_at FROM retention_request w JOIN registry r ON r.id = w.registry_id
        WHERE w.finished_at IS NULL AND w.due_at <= now() AND (w.lease_expires_at IS NULL OR w.lease_expires_at < now())
          AND NOT ${beingCollected(Prisma.sql`w.registry_id`)}
        ORDER BY w.due_at LIMIT 1 FOR UPDATE OF w SKIP LOCKED
      ) next
      WHERE q.id = next.id
      RETURNING q.id, q.kind, q.registry_id AS "registryId", next.name AS registry, next.replaced_at IS NOT NULL AS "isReplaced", q.asked,
        q.requested_by AS "requestedBy", q.attempts, q.lease_fence AS fence`;
    return row;
  }

  async renew(lease: TrashRequestLease): Promise<boolean> {
    const count = await this.#database.tables.$executeRaw`
      UPDATE retention_request SET lease_expires_at = now() + ${this.#lease} WHERE ${held(lease)}`;
    return count > 0;
  }

  /** Gives it up unfinished, to be claimed again after `delayMs`; handed over by a worker that stops it is no attempt. */
  async release(
    lease: TrashRequestLease,
    { delayMs, isAttempt }: { readonly delayMs: number; readonly isAttempt: boolean },
  ): Promise<void> {
    await this.#database.tables.$executeRaw`
      UPDATE retention_request
      SET lease_expires_at = NULL, due_at = now() + ${delayMs} * interval '1 millisecond', attempts = attempts - ${isAttempt ? 0 : 1}
      WHERE ${held(lease)}`;
  }

  /** The next repository in which something is left to do. */
  async nextRepository(lease: TrashRequestLease, after: string): Promise<RepositoryName | undefined> {
    const [row] = await this.#database.tables.$queryRaw<{ repository: RepositoryName }[]>`
      SELECT repository FROM retention_request_item
      WHERE request_id = ${lease.id}::uuid AND repository > ${after} AND settled_at IS NULL ORDER BY repository LIMIT 1`;
    return row?.repository;
  }

  /** What of a repository is still to be brought back, without the bytes. */
  async restorables(lease: TrashRequestLease, repository: string): Promise<RestorableRow[]> {
    const rows = await this.#database.tables.$queryRaw<RawRestorable[]>`
      SELECT t.id AS "trashId", t.digest, t.media_type AS "mediaType", t.tags, t.trash_repository AS "trashRepository",
        ARRAY(SELECT l.digest FROM retention_trash_link l WHERE l.trash_id = t.id AND l.kind = 'holds') AS holds,
        ARRAY(SELECT l.digest FROM retention_trash_link l WHERE l.trash_id = t.id AND l.kind = 'refers') AS refers
      FROM retention_request_item i JOIN retention_trash t ON t.id = i.trash_id
      WHERE i.request_id = ${lease.id}::uuid AND i.repository = ${repository} AND i.settled_at IS NULL`;
    return rows.map(({ digest, holds, refers, trashRepository, ...row }) => ({
      ...row,
      digest: digestFromBytes(digest),
      trashRepository: trashRepository ?? undefined,
      holds: holds.map(digestFromBytes),
      refers: refers.map(digestFromBytes),
    }));
  }

  /** The very bytes that were deleted. */
  async manifestOf(trashId: string): Promise<Manifest> {
    const { digest, manifest, mediaType } = await this.#database.tables.retentionTrash.findUniqueOrThrow({
      where: { id: trashId },
      select: { digest: true, manifest: true, mediaType: true },
    });
    return { digest: digestFromBytes(digest), bytes: manifest, mediaType };
  }

  /** It is back: its row leaves the trash, and the inventory knows at once. */
  settleRestored(lease: TrashRequestLease, trashId: string, tags: readonly TagReturn[]): Promise<boolean> {
    return this.#underLease(lease, async (tables) => {
      await tables.$executeRaw`
        UPDATE retention_request_item SET state = 'done', settled_at = now(), outcome = ${storableJson({ tags })}::jsonb, error = NULL
        WHERE request_id = ${lease.id}::uuid AND trash_id = ${trashId}::uuid`;
      await tables.$executeRaw`
        UPDATE retention_trash SET restored_at = now(), restored_by = ${lease.requestedBy}::uuid, wanted_by = NULL
        WHERE id = ${trashId}::uuid AND wanted_by = ${lease.id}::uuid`;
      const back = tags.flatMap(({ tag, outcome }) => (outcome === 'back' ? [tag] : []));
      await noteBack(tables, { requestId: lease.id, trashId, tags: back });
    });
  }

  /** Says what is wrong with one of them, which stays as it is: for good, or until the request is taken up again. */
  async note(lease: TrashRequestLease, trashId: string, error: StoredError, isFinal: boolean): Promise<boolean> {
    return this.#underLease(lease, async (tables) => {
      await tables.$executeRaw`
        UPDATE retention_request_item SET error = ${storableJson(error)}::jsonb,
          state = CASE WHEN ${isFinal} THEN 'failed' ELSE state END, settled_at = CASE WHEN ${isFinal} THEN now() END
        WHERE request_id = ${lease.id}::uuid AND trash_id = ${trashId}::uuid AND settled_at IS NULL`;
      if (isFinal) {
        await tables.$executeRaw`UPDATE retention_trash SET wanted_by = NULL WHERE id = ${trashId}::uuid AND wanted_by = ${lease.id}::uuid`;
      }
    });
  }

  /** Ends the request by what became of its items; those that are open fail for `error`. */
  finish(lease: TrashRequestLease, error?: StoredError): Promise<boolean> {
    return this.#underLease(lease, async (tables) => {
      const reason = error === undefined ? null : storableJson(error);
      await tables.$executeRaw`
        UPDATE retention_request_item SET state = 'failed', settled_at = now(), error = coalesce(error, ${reason}::jsonb)
        WHERE request_id = ${lease.id}::uuid AND settled_at IS NULL`;
      await tables.$executeRaw`UPDATE retention_trash SET wanted_by = NULL WHERE wanted_by = ${lease.id}::uuid`;
      await tables.$executeRaw`
        UPDATE retention_request SET finished_at = now(), lease_expires_at = NULL, error = ${reason}::jsonb, state = (
          SELECT CASE WHEN count(*) FILTER (WHERE state = 'failed') = 0 THEN 'succeeded'
            WHEN count(*) FILTER (WHERE state = 'done') = 0 THEN 'failed' ELSE 'partial' END
          FROM retention_request_item WHERE request_id = ${lease.id}::uuid
        ) WHERE id = ${lease.id}::uuid`;
    });
  }

  /** One transaction; false, and nothing done, when the lease is lost. */
  async #underLease(lease: TrashRequestLease, work: (tables: Tables) => Promise<void>): Promise<boolean> {
    return this.#database.transaction(async (tables) => {
      if (!(await holdsRequest(tables, lease))) return false;
      await work(tables);
      return true;
    });
  }

  get #lease(): Prisma.Sql {
    return Prisma.sql`${this.#leaseMs} * interval '1 millisecond'`;
  }
}

interface RawRestorable extends Omit<RestorableRow, 'digest' | 'holds' | 'refers' | 'trashRepository'> {
  readonly digest: Uint8Array;
  readonly trashRepository: RepositoryName | null;
  readonly holds: readonly Uint8Array[];
  readonly refers: readonly Uint8Array[];
}

function held({ id, fence }: TrashRequestLease): Prisma.Sql {
  return Prisma.sql`id = ${id}::uuid AND lease_fence = ${fence} AND finished_at IS NULL AND lease_expires_at > now()`;
}

/** Whether the lease is still held; to the transaction's end it stays so. */
export async function holdsRequest(tables: Tables, lease: TrashRequestLease): Promise<boolean> {
  const ours = await tables.$queryRaw<unknown[]>`SELECT 1 FROM retention_request WHERE ${held(lease)} FOR UPDATE`;
  return ours.length > 0;
}
