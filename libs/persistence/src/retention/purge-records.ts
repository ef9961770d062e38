import { type Digest, digestFromBytes, digestToBytes, type RepositoryName } from '@waybill/oci-model';
import type { Database, Tables } from '../database.js';
import { Prisma } from '../generated/client.js';
import { storableJson } from '../registry-checks/storable-json.js';
import type { StoredError } from '../run/stored-error.js';
import { closePlace } from './close-place.js';
import { lockForDeletion, neededByPromotions } from './deletion-lock.js';
import { holdOf } from './held-digests.js';
import { noteTagsPurged } from './place-of-trash.js';
import { lockTrash } from './trash.js';
import { holdsRequest, type TrashRequestLease } from './trash-request-leases.js';
import { whatStays } from './what-stays.js';

/** What may be deleted: what is listed by something that stays is not, and what a promotion needs or somebody holds keeps all of it. */
export type PurgeIntent =
  | { readonly kind: 'intended'; readonly digests: readonly Digest[] }
  | { readonly kind: 'needed'; readonly promotion: string }
  | { readonly kind: 'held'; readonly hold: string }
  | { readonly kind: 'listed'; readonly by: Digest }
  | { readonly kind: 'lost' };

/** What a purge takes from the trash of a repository. */
export type PurgedTrash =
  'being-restored' | 'lost' | { readonly trashRepository: RepositoryName | undefined; readonly digests: readonly Digest[] };

/** What a purge does in one repository, written down before it is sent and settled after. */
export class PurgeRecords {
  readonly #database: Database;
  readonly #lease: TrashRequestLease;
  readonly #repository: RepositoryName;

  constructor(database: Database, lease: TrashRequestLease, repository: RepositoryName) {
    this.#database = database;
    this.#lease = lease;
    this.#repository = repository;
  }

  /** What is written down and not settled yet: perhaps it was deleted. */
  async open(): Promise<Digest[]> {
    const rows = await this.#database.tables.$queryRaw<{ digest: Uint8Array }[]>`
      SELECT digest FROM retention_request_item
      WHERE request_id = ${this.#lease.id}::uuid AND repository = ${this.#repository} AND settled_at IS NULL`;
    return rows.map(({ digest }) => digestFromBytes(digest));
  }

  /**
   * Writes down what goes: `root`, and of `digests` what nothing needs that stays. What an earlier attempt wrote down and something needs
   * by now stays too.
   */
  async intend(root: Digest, digests: readonly Digest[]): Promise<PurgeIntent> {
    return this.#underLease(
      async (tables): Promise<PurgeIntent> => {
        const { registryId } = this.#lease;
        await lockForDeletion(tables, registryId);
        const stays = await whatStays(tables, { registryId, repository: this.#repository, root, digests });
        const by = stays.get(root);
        if (by !== undefined) return { kind: 'listed', by };
        const going = digests.filter((digest) => !stays.has(digest));
        const [promotion] = (await neededByPromotions(tables, registryId, going)).values();
        if (promotion !== undefined) return { kind: 'needed', promotion };
        const hold = await holdOf(tables, { registryId, repositories: [this.#repository], digests: going });
        if (hold !== undefined) return { kind: 'held', hold };
        await this.#leave(tables, [...stays.keys()]);
        await this.#insert(tables, going, 'intended');
        return { kind: 'intended', digests: going };
      },
      { kind: 'lost' },
    );
  }

  /** Writes down what belongs to it and cannot go yet. False when the lease is lost. */
  awaiting(digests: readonly Digest[]): Promise<boolean> {
    return this.#underLease(async (tables) => {
      await this.#insert(tables, digests, 'pending');
      return true;
    }, false);
  }

  /** From now on nothing of it can be brought back. Gives what the trash has to lose at once. */
  async emptyTrash(digests: readonly Digest[]): Promise<PurgedTrash> {
    return this.#underLease(async (tables): Promise<PurgedTrash> => {
      const { registryId } = this.#lease;
      await lockTrash(tables, registryId, this.#repository);
      const rows = await this.#rowsWith(tables, digests);
      if (rows.some(({ wanted_by: wantedBy }) => wantedBy !== null)) return 'being-restored';
      const ids = rows.map(({ id }) => id);
      await tables.$executeRaw`
        UPDATE retention_trash SET emptied_at = now() WHERE id = ANY(${ids}::uuid[]) AND restored_at IS NULL AND emptied_at IS NULL`;
      const going = await tables.$queryRaw<{ digest: Uint8Array }[]>`
        SELECT l.digest FROM retention_trash_link l
        WHERE l.trash_id = ANY(${ids}::uuid[]) AND l.kind = 'holds' AND NOT EXISTS (
          SELECT 1 FROM retention_trash_link o JOIN retention_trash t ON t.id = o.trash_id
          WHERE o.digest = l.digest AND o.kind = 'holds' AND t.registry_id = ${registryId}::uuid AND t.repository = ${this.#repository}
            AND t.restored_at IS NULL AND t.emptied_at IS NULL)
        GROUP BY l.digest ORDER BY min(l.position), l.digest`;
      const trashRepository = rows.find((row) => row.trash_repository !== null)?.trash_repository ?? undefined;
      return { trashRepository, digests: going.map(({ digest }) => digestFromBytes(digest)) };
    }, 'lost');
  }

  /** It is gone, as was read back; the inventory knows at once. False when the lease is lost. */
  settle(digest: Digest): Promise<boolean> {
    return this.#underLease(async (tables) => {
      const { id, registryId } = this.#lease;
      const bytes = digestToBytes(digest);
      await tables.$executeRaw`
        UPDATE retention_request_item SET state = 'done', settled_at = now(), error = NULL, deleted_order = nextval('order_of_events')
        WHERE request_id = ${id}::uuid AND repository = ${this.#repository} AND digest = ${bytes}::bytea AND settled_at IS NULL`;
      await closePlace(tables, { runId: id, registryId, repository: this.#repository }, bytes);
      await noteTagsPurged(tables, { registryId, repository: this.#repository }, digest);
      return true;
    }, false);
  }

  /** Says why nothing, or not all, could be deleted: for good, or until the request is taken up again. False when the lease is lost. */
  note(digest: Digest, error: StoredError, isFinal: boolean): Promise<boolean> {
    return this.#underLease(async (tables) => {
      await tables.$executeRaw`
        UPDATE retention_request_item SET error = ${storableJson(error)}::jsonb,
          state = CASE WHEN ${isFinal} THEN 'failed' ELSE state END, settled_at = CASE WHEN ${isFinal} THEN now() END
        WHERE request_id = ${this.#lease.id}::uuid AND repository = ${this.#repository} AND digest = ${digestToBytes(digest)}::bytea
          AND settled_at IS NULL`;
      return true;
    }, false);
  }

  async #insert(tables: Tables, digests: readonly Digest[], state: 'pending' | 'intended'): Promise<void> {
    await tables.$executeRaw`
      INSERT INTO retention_request_item (request_id, repository, digest, state)
      SELECT ${this.#lease.id}::uuid, ${this.#repository}, d, ${state} FROM unnest(${digests.map(digestToBytes)}::bytea[]) AS d
      ON CONFLICT (request_id, repository, digest) DO UPDATE SET state = excluded.state
        WHERE retention_request_item.settled_at IS NULL AND retention_request_item.state = 'pending'`;
  }

  async #leave(tables: Tables, digests: readonly Digest[]): Promise<void> {
    await tables.$executeRaw`
      DELETE FROM retention_request_item
      WHERE request_id = ${this.#lease.id}::uuid AND repository = ${this.#repository} AND settled_at IS NULL
        AND digest = ANY(${digests.map(digestToBytes)}::bytea[])`;
  }

  /** Whatever holds one of them, and what refers to that. */
  #rowsWith(tables: Tables, digests: readonly Digest[]): Promise<TrashPart[]> {
    const { registryId } = this.#lease;
    return tables.$queryRaw<TrashPart[]>`
      WITH RECURSIVE reached (id) AS (
        (SELECT t.id FROM retention_trash_link l JOIN retention_trash t ON t.id = l.trash_id
          WHERE l.digest = ANY(${digests.map(digestToBytes)}::bytea[]) AND ${this.#inTrash(registryId)})
        UNION
        SELECT t.id FROM reached w JOIN retention_trash_link h ON h.trash_id = w.id AND h.kind = 'holds'
          JOIN retention_trash_link l ON l.digest = h.digest AND l.kind = 'refers'
          JOIN retention_trash t ON t.id = l.trash_id AND ${this.#inTrash(registryId)}
      )
      SELECT id, wanted_by, trash_repository FROM retention_trash WHERE id IN (SELECT id FROM reached) ORDER BY id FOR UPDATE`;
  }

  #inTrash(registryId: string): Prisma.Sql {
    return Prisma.sql`t.registry_id = ${registryId}::uuid AND t.repository = ${this.#repository} AND t.cleared_at IS NULL`;
  }

  #underLease<Result>(work: (tables: Tables) => Promise<Result>, lost: Result): Promise<Result> {
    return this.#database.transaction(async (tables) => ((await holdsRequest(tables, this.#lease)) ? work(tables) : lost));
  }
}

interface TrashPart {
  readonly id: string;
  readonly wanted_by: string | null;
  readonly trash_repository: RepositoryName | null;
}
