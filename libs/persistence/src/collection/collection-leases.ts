import { PromotionError } from '@waybill/promotion';
import { type IdSource, uuidV7 } from '@waybill/kernel';
import type { Database, Tables } from '../database.js';
import { Prisma } from '../generated/client.js';
import { notify } from '../notify.js';
import { storableJson } from '../registry-checks/storable-json.js';
import type { StoredError } from '../run/stored-error.js';
import type { CollectionState } from './collections.js';
import { endCollections } from './end-collections.js';

/** A registry that a supervisor can collect, and where it listens. */
export interface CollectableRegistry {
  readonly name: string;
  readonly address: string;
}

/** The right to bring one collection to its end, until it expires. */
export interface CollectionLease {
  readonly id: string;
  readonly registryId: string;
  /** The registry's name. */
  readonly registry: string;
  readonly isDryRun: boolean;
  /** How far it had come when it was claimed: further than `requested` when the worker before died. */
  readonly state: CollectionState;
  readonly holder: string;
  /** Raised with every claim: what carries an older one changes nothing. */
  readonly fence: bigint;
}

/** What a collection found; sizes in bytes of the whole storage, and how many blobs were removed, or would be. */
export interface CollectionFigures {
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly blobs: number;
  readonly log: string;
}

/** What is to be known of copies to the registry before anything is removed. */
export type Drain = 'drained' | 'waiting' | 'too-late';

/**
 * Brings each collection to one worker, and keeps copies away from its registry.
 *
 * Invariants: from `draining` to its end a collection has a pause of its own, which only its end ends, whoever dies in between;
 * it removes nothing before no worker that holds a lease has begun at a target there; the registry's epoch is raised before the
 * first byte is removed and after the last. Beginning an attempt locks the registry's row in share mode (`beginOrHold`), and both
 * steps here lock it for themselves: an attempt has begun before the pause was made, and is seen by the drain, or it sees the pause.
 */
export class CollectionLeases {
  readonly #database: Database;
  readonly #leaseMs: number;
  readonly #ids: IdSource;

  constructor(database: Database, options: { readonly leaseMs: number; readonly ids?: IdSource }) {
    this.#database = database;
    this.#leaseMs = options.leaseMs;
    this.#ids = options.ids ?? uuidV7;
  }

  /** Claims the oldest collection of one of these registries, also one whose worker is silent; undefined when none waits. */
  async claimNext(registries: readonly CollectableRegistry[], holder: string): Promise<CollectionLease | undefined> {
    const [row] = await this.#database.tables.$queryRaw<ClaimedRow[]>`
      UPDATE collection c
      SET lease_holder = ${holder}, lease_fence = lease_fence + 1, lease_expires_at = now() + ${this.#lease}
      FROM (
        SELECT w.id, r.name FROM collection w JOIN registry r ON r.id = w.registry_id
          JOIN jsonb_to_recordset(${JSON.stringify(registries)}::jsonb) AS known (name text, address text)
            ON known.name = r.name AND known.address = r.address
        WHERE w.finished_at IS NULL AND (w.lease_expires_at IS NULL OR w.lease_expires_at < now()) AND r.replaced_at IS NULL
        ORDER BY w.id LIMIT 1 FOR UPDATE OF w SKIP LOCKED
      ) next
      WHERE c.id = next.id
      RETURNING c.id, c.registry_id, next.name, c.is_dry_run, c.state, c.lease_fence`;
    if (row === undefined) return undefined;
    const { id, registry_id: registryId, name: registry, is_dry_run: isDryRun, state, lease_fence: fence } = row;
    return { id, registryId, registry, isDryRun, state, holder, fence };
  }

  /** False when the lease is lost. */
  async renew(lease: CollectionLease): Promise<boolean> {
    const count = await this.#database.tables.$executeRaw`
      UPDATE collection SET lease_expires_at = now() + ${this.#lease} WHERE ${held(lease)}`;
    return count > 0;
  }

  /** Gives the lease up with the collection unfinished, to be claimed again after `delayMs`. */
  async release(lease: CollectionLease, delayMs: number): Promise<void> {
    await this.#database.tables.$executeRaw`
      UPDATE collection SET lease_fence = lease_fence + 1, lease_expires_at = now() + ${delayMs} * interval '1 millisecond' WHERE ${held(lease)}`;
  }

  /**
   * From now on nothing is begun that would be brought to the registry; what has begun may end within `drainMs`.
   * @throws PromotionError `lease-lost`
   */
  async beginDraining(lease: CollectionLease, drainMs: number): Promise<void> {
    await this.#underLock(lease, async (tables) => {
      await tables.$executeRaw`
        WITH paused AS (
          INSERT INTO pause (id, scope, name, reason, paused_by)
          SELECT ${this.#ids.next()}::uuid, 'collection', ${lease.registry}, c.reason, c.requested_by FROM collection c WHERE c.id = ${lease.id}::uuid
          RETURNING id
        )
        UPDATE collection SET state = 'draining', pause_id = paused.id, started_at = now(),
          drain_until = now() + ${drainMs} * interval '1 millisecond'
        FROM paused WHERE collection.id = ${lease.id}::uuid`;
      await notify(tables, 'collection');
    });
  }

  /**
   * Where no worker that lives copies to the registry any more, voids what was known to be there and moves on to `read-only`.
   * What a dead worker had verified there is to be verified again.
   * @throws PromotionError `lease-lost`
   */
  async drain(lease: CollectionLease): Promise<Drain> {
    return this.#underLock(lease, async (tables) => {
      const left = await leftAt(tables, lease);
      if (left.is_busy) return left.is_late ? 'too-late' : 'waiting';
      await voidKnowledge(tables, lease);
      await tables.$executeRaw`
        UPDATE collection c SET state = 'read-only', epoch = r.epoch FROM registry r WHERE c.id = ${lease.id}::uuid AND r.id = c.registry_id`;
      await notify(tables, 'collection');
      return 'drained';
    });
  }

  /**
   * Notes what the registry's supervisor does now.
   * @throws PromotionError `lease-lost`
   */
  async advance(lease: CollectionLease, state: 'read-only' | 'collecting' | 'restarting'): Promise<void> {
    const count = await this.#database.tables.$executeRaw`
      UPDATE collection SET state = ${state}, started_at = coalesce(started_at, now()) WHERE ${held(lease)}`;
    if (count === 0) throw collectionLost(lease);
  }

  /**
   * Keeps what was found, and lets copies go on.
   * @throws PromotionError `lease-lost`
   */
  async complete(lease: CollectionLease, { bytesBefore, bytesAfter, blobs, log }: CollectionFigures): Promise<void> {
    await this.#end(
      lease,
      Prisma.sql`state = 'complete', bytes_before = ${bytesBefore}, bytes_after = ${bytesAfter}, blobs = ${blobs}, log = ${storableText(log)}`,
    );
  }

  /**
   * Ends it without, and lets copies go on: `refused` when nothing was tried.
   * @throws PromotionError `lease-lost`
   */
  async giveUp(lease: CollectionLease, state: 'failed' | 'refused', error: StoredError): Promise<void> {
    await this.#end(lease, Prisma.sql`state = ${state}, error = ${storableJson(error)}::jsonb`);
  }

  async #end(lease: CollectionLease, changes: Prisma.Sql): Promise<void> {
    await this.#underLock(lease, (tables) => endCollections(tables, changes, Prisma.sql`id = ${lease.id}::uuid`));
  }

  /** Keeps the registry's row for this transaction, and the lease, which must hold. */
  #underLock<T>(lease: CollectionLease, work: (tables: Tables) => Promise<T>): Promise<T> {
    return this.#database.transaction(async (tables) => {
      await tables.$queryRaw`SELECT 1 FROM registry WHERE id = ${lease.registryId}::uuid FOR NO KEY UPDATE`;
      const ours = await tables.$queryRaw<unknown[]>`SELECT 1 FROM collection WHERE ${held(lease)} FOR UPDATE`;
      if (ours.length === 0) throw collectionLost(lease);
      return work(tables);
    });
  }

  get #lease(): Prisma.Sql {
    return Prisma.sql`${this.#leaseMs} * interval '1 millisecond'`;
  }
}

interface ClaimedRow {
  readonly id: string;
  readonly registry_id: string;
  readonly name: string;
  readonly is_dry_run: boolean;
  readonly state: CollectionState;
  readonly lease_fence: bigint;
}

/**
 * What writes to the registry: targets that a living worker has begun, runs of retention that delete, what is done with the trash, and checks of
 * what the registry can.
 */
async function leftAt(tables: Tables, lease: CollectionLease): Promise<{ readonly is_busy: boolean; readonly is_late: boolean }> {
  const [left] = await tables.$queryRaw<{ is_busy: boolean; is_late: boolean }[]>`
    SELECT c.drain_until < now() AS is_late,
      EXISTS (
        SELECT 1 FROM item_target t JOIN dispatch d ON d.promotion_id = t.promotion_id AND d.location = t.location
        WHERE t.registry_id = c.registry_id AND t.state NOT IN ('pending', 'done') AND d.state = 'leased' AND d.lease_expires_at > now()
      ) OR EXISTS (
        SELECT 1 FROM retention_run u WHERE u.registry_id = c.registry_id AND u.finished_at IS NULL AND u.state = 'deleting' AND u.lease_expires_at > now()
      ) OR EXISTS (
        SELECT 1 FROM retention_request q WHERE q.registry_id = c.registry_id AND q.finished_at IS NULL AND q.lease_expires_at > now()
      ) OR EXISTS (
        SELECT 1 FROM retention_trash h WHERE h.registry_id = c.registry_id AND h.cleared_at IS NULL AND h.lease_holder IS NOT NULL
          AND h.lease_expires_at > now()
      ) OR EXISTS (
        SELECT 1 FROM checked_registry k WHERE k.registry_id = c.registry_id AND k.state = 'leased' AND k.lease_expires_at > now()
      ) AS is_busy
    FROM collection c WHERE c.id = ${lease.id}::uuid`;
  if (left === undefined) throw collectionLost(lease);
  return left;
}

/** Targets that a dead worker had begun wait for this collection's end, and are begun from the start then. */
async function voidKnowledge(tables: Tables, { id, registryId }: CollectionLease): Promise<void> {
  await tables.$executeRaw`UPDATE registry SET epoch = epoch + 1 WHERE id = ${registryId}::uuid`;
  await tables.$executeRaw`
    UPDATE item_target t SET state = 'pending', held_by = c.pause_id, held_since = coalesce(t.held_since, now()), due_at = NULL,
      attempts = attempts - CASE WHEN waiting_since IS NULL THEN 0 ELSE 1 END, waiting_since = NULL
    FROM collection c WHERE c.id = ${id}::uuid AND t.registry_id = ${registryId}::uuid AND t.state NOT IN ('pending', 'done')`;
}

function held({ id, fence }: CollectionLease): Prisma.Sql {
  return Prisma.sql`id = ${id}::uuid AND lease_fence = ${fence} AND lease_expires_at > now() AND finished_at IS NULL`;
}

function collectionLost({ id, registry }: CollectionLease): PromotionError {
  return new PromotionError(`another worker took over the collection of ${registry}`, {
    code: 'lease-lost',
    operation: 'collect registry',
    details: { collection: id, registry },
  });
}

/** PostgreSQL's text holds no NUL. */
function storableText(text: string): string {
  return text.replaceAll('\u0000', '').toWellFormed();
}
