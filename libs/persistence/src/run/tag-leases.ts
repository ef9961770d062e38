import { type Clock, systemClock } from '@waybill/kernel';
import { type Digest, digestFromBytes, digestToBytes, type Tag } from '@waybill/oci-model';
import { cancelled, paused, type TagResult, type TagTurn, type TargetRun } from '@waybill/promotion';
import type { Database, Tables } from '../database.js';
import { Prisma } from '../generated/client.js';
import { type DispatchLease, leaseLost, runName, underLease } from './dispatch-lease.js';
import { noteTagEvents, recordSettled, settledEffect } from './settle-effects.js';

/** How often a tag that somebody else is writing is asked for again, at the most. */
const maxHeldWaitMs = 250;

/** One name of one target, and what we want it to be. */
interface TagWrite {
  readonly target: TargetRun;
  readonly tag: Tag;
  readonly digest: Digest;
}

interface TurnRow {
  readonly superseded: boolean;
  readonly wait_ms: number | null;
  /** Null when the lease was not to be had. */
  readonly fence: bigint | null;
  readonly written_since: Uint8Array | null;
  readonly begun: Extract<TagTurn, { turn: 'ours' }>['begun'];
  readonly intended: boolean;
  readonly settled: boolean;
  readonly is_paused: boolean;
  readonly is_cancelled: boolean;
}

interface IntentRow {
  readonly held: boolean;
  readonly is_paused: boolean;
  readonly is_cancelled: boolean;
}

/**
 * The order of writes to tags, and the leases under which one run writes them.
 * Invariants: `written_ticket` never falls; an intent to write is recorded only under the tag's lease
 * and while no newer ticket was written; every method is fenced by the run's own lease too. A pause or a cancellation that
 * was there before the lease was taken is seen at the latest when the intent is recorded: waiting for a row cannot hide it.
 * `written_order` is taken after the write was read back and `expected_order` before the tag was read (or, when it
 * is adopted, under the tag's lease): what was written earlier is never taken for written since.
 */
export class TagLeases {
  readonly #database: Database;
  readonly #lease: DispatchLease;
  readonly #leaseMs: number;
  readonly #clock: Clock;
  readonly #fences = new Map<string, bigint>();

  constructor(database: Database, lease: DispatchLease, options: { readonly leaseMs: number; readonly clock?: Clock }) {
    this.#database = database;
    this.#lease = lease;
    this.#leaseMs = options.leaseMs;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * The run that holds the lease already gets it again: the answer to its first request was lost.
   * What it may use of the lease counts from before the question: waiting for a connection, for the
   * row and for the answer is not given to the write, which so ends before the database's lease does.
   */
  async acquire(target: TargetRun, tag: Tag): Promise<TagTurn> {
    const asked = this.#clock.monotonic();
    const holder = runName(this.#lease);
    const [row] = await this.#database.tables.$queryRaw<TurnRow[]>`
      WITH ${underLease(this.#lease)}, wanted AS (
        SELECT o.registry_id, o.repository, o.tag, t.ticket, t.expected_order, o.written_ticket, o.lease_expires_at
        FROM item_target_tag t JOIN item_target i ON i.id = t.item_target_id
          JOIN tag_order o ON o.registry_id = i.registry_id AND o.repository = i.repository AND o.tag = t.tag
        WHERE t.item_target_id = ${target.id}::uuid AND t.tag = ${tag} AND EXISTS (SELECT 1 FROM lease)
        FOR UPDATE OF o
      ), ${beforeTag(this.#lease, target)}, taken AS (
        UPDATE tag_order o
        SET lease_holder = ${holder}, lease_fence = lease_fence + 1, lease_expires_at = clock_timestamp() + ${this.#leaseMs} * interval '1 millisecond'
        FROM wanted w, stops
        WHERE o.registry_id = w.registry_id AND o.repository = w.repository AND o.tag = w.tag AND o.written_ticket <= w.ticket
          AND NOT stops.is_paused AND NOT stops.is_cancelled
          AND (o.lease_expires_at IS NULL OR o.lease_expires_at < now() OR o.lease_holder = ${holder})
        RETURNING o.lease_fence, CASE WHEN o.written_order > w.expected_order THEN o.written_digest END AS written_since
      )
      SELECT w.written_ticket > w.ticket AS superseded,
             (extract(epoch FROM w.lease_expires_at - clock_timestamp()) * 1000)::float8 AS wait_ms,
             taken.lease_fence AS fence, taken.written_since,
             earlier.state IS NOT NULL AS intended, earlier.state IS NOT DISTINCT FROM 'settled' AS settled,
             (SELECT coalesce(jsonb_agg(jsonb_build_object('digest', digest_text(e.digest), 'isNewer', g.ticket > w.ticket)), '[]')
              FROM effect e JOIN item_target_tag g ON g.item_target_id = e.item_target_id AND g.tag = e.tag
              WHERE e.state = 'intended' AND e.kind = 'tag' AND e.registry_id = w.registry_id AND e.repository = w.repository
                AND e.tag = w.tag AND e.item_target_id <> ${target.id}::uuid) AS begun,
             stops.is_paused, stops.is_cancelled
      FROM wanted w CROSS JOIN stops LEFT JOIN taken ON true
        LEFT JOIN effect earlier ON earlier.item_target_id = ${target.id}::uuid AND earlier.kind = 'tag' AND earlier.tag = w.tag
          AND earlier.outcome IS DISTINCT FROM 'not-written'`;
    if (row === undefined) throw leaseLost(this.#lease);
    if (row.is_cancelled) return { turn: 'cancelled' };
    if (row.is_paused) return { turn: 'paused' };
    if (row.fence === null) return row.superseded ? { turn: 'superseded' } : { turn: 'held', retryAfterMs: waitBetween(row.wait_ms) };
    this.#fences.set(keyOf(target, tag), row.fence);
    const writtenSince = row.written_since === null ? undefined : digestFromBytes(row.written_since);
    const leaseMs = Math.max(Math.floor(asked + this.#leaseMs - this.#clock.monotonic()), 0);
    return { turn: 'ours', leaseMs, writtenSince, begun: row.begun, intendedBefore: row.intended, settledBefore: row.settled };
  }

  /**
   * Write-ahead. Rejects when either lease is lost, a newer release wrote meanwhile, the effect is settled, or a pause or a
   * cancellation came before: then nothing may be sent.
   */
  async intend(write: TagWrite, effectId: string, previous: Digest | undefined): Promise<void> {
    const row = await this.#database.transaction(async (tables) => {
      // A statement that waits for a row sees what was before it waited, so a cancellation that locks the dispatch would be missed.
      await tables.$queryRaw`WITH ${underLease(this.#lease)} SELECT 1 FROM lease`;
      return await this.#recordIntent(tables, write, { effectId, previous });
    });
    if (row?.held === true) return;
    if (row?.is_cancelled === true) throw cancelled();
    throw row?.is_paused === true ? paused() : leaseLost(this.#lease);
  }

  async #recordIntent(
    tables: Tables,
    { target, tag, digest }: TagWrite,
    { effectId, previous }: { readonly effectId: string; readonly previous: Digest | undefined },
  ): Promise<IntentRow | undefined> {
    const [row] = await tables.$queryRaw<IntentRow[]>`
      WITH ${underLease(this.#lease)}, ${beforeTag(this.#lease, target)}, mine AS (
        SELECT i.promotion_id, i.registry_id, i.repository
        FROM item_target i JOIN item_target_tag t ON t.item_target_id = i.id AND t.tag = ${tag}
          JOIN tag_order o ON o.registry_id = i.registry_id AND o.repository = i.repository AND o.tag = ${tag}
        WHERE i.id = ${target.id}::uuid AND EXISTS (SELECT 1 FROM lease)
          AND o.lease_fence = ${this.#fenceOf(target, tag)} AND o.lease_expires_at > now() AND o.written_ticket <= t.ticket
          AND NOT (SELECT is_paused OR is_cancelled FROM stops)
      ), intended AS (
        INSERT INTO effect AS e (id, promotion_id, item_target_id, kind, registry_id, repository, digest, tag, previous_digest, state)
        SELECT ${effectId}::uuid, promotion_id, ${target.id}::uuid, 'tag', registry_id, repository, ${digestToBytes(digest)}, ${tag},
               ${bytesOrNull(previous)}::bytea, 'intended'
        FROM mine
        ON CONFLICT (item_target_id, kind, digest, tag) WHERE outcome IS DISTINCT FROM 'not-written' DO UPDATE SET previous_digest = excluded.previous_digest WHERE e.state = 'intended'
        RETURNING 1
      )
      SELECT EXISTS (SELECT 1 FROM intended) AS held, is_paused, is_cancelled FROM stops`;
    return row;
  }

  /** Nothing was sent: the next in line need not wait for the lease to run out. */
  async release(target: TargetRun, tag: Tag): Promise<void> {
    const count = await this.#database.tables.$executeRaw`
      WITH ${underLease(this.#lease)}
      UPDATE tag_order o SET lease_expires_at = NULL, lease_holder = NULL
      FROM item_target i
      WHERE i.id = ${target.id}::uuid AND o.registry_id = i.registry_id AND o.repository = i.repository AND o.tag = ${tag}
        AND o.lease_fence = ${this.#fenceOf(target, tag)} AND EXISTS (SELECT 1 FROM lease)`;
    this.#fences.delete(keyOf(target, tag));
    if (count === 0) throw leaseLost(this.#lease);
  }

  /**
   * Settles the effect from what was read back, appends its record, notes the tag event,
   * raises the written ticket and gives the lease up: one statement. What was written counts
   * in the order even when the tag's lease ran out since. Of an overtaken release nothing was read:
   * an intent that one of its attempts left open is settled at its end.
   */
  async settle(write: TagWrite, result: TagResult): Promise<void> {
    if (result.outcome === 'superseded') return this.#noteOvertaken(write);
    const { target, tag, digest } = write;
    const wrote = result.outcome === 'written' || result.outcome === 'already-present';
    const found = result.outcome === 'conflict' ? bytesOrNull(result.found) : null;
    const fence = this.#fenceOf(target, tag);
    const [row] = await this.#database.tables.$queryRaw<{ held: boolean }[]>`
      WITH ${underLease(this.#lease)}, outcome AS (
        UPDATE item_target_tag t SET outcome = ${result.outcome}, found_digest = ${found}::bytea
        FROM item_target i WHERE i.id = t.item_target_id AND t.item_target_id = ${target.id}::uuid AND t.tag = ${tag} AND EXISTS (SELECT 1 FROM lease)
        RETURNING t.item_target_id, t.ticket, i.registry_id, i.repository
      ), ${settledAs(write, result)}, ${recordSettled}, ${noteTagEvents}, ordered AS (
        UPDATE tag_order o
        SET lease_expires_at = CASE WHEN o.lease_fence = ${fence} THEN NULL ELSE o.lease_expires_at END,
            lease_holder = CASE WHEN o.lease_fence = ${fence} THEN NULL ELSE o.lease_holder END,
            written_ticket = CASE WHEN ${wrote} THEN greatest(o.written_ticket, outcome.ticket) ELSE o.written_ticket END,
            written_digest = CASE WHEN ${wrote} AND o.written_ticket <= outcome.ticket THEN ${digestToBytes(digest)} ELSE o.written_digest END,
            written_order = CASE WHEN ${wrote} AND o.written_ticket <= outcome.ticket THEN nextval('order_of_events') ELSE o.written_order END
        FROM outcome WHERE o.registry_id = outcome.registry_id AND o.repository = outcome.repository AND o.tag = ${tag}
      )
      SELECT EXISTS (SELECT 1 FROM lease) AS held`;
    this.#fences.delete(keyOf(target, tag));
    if (row?.held !== true) throw leaseLost(this.#lease);
  }

  /** No lease was taken for it: its tag's row is the newer release's. */
  async #noteOvertaken({ target, tag }: TagWrite): Promise<void> {
    const count = await this.#database.tables.$executeRaw`
      WITH ${underLease(this.#lease)}
      UPDATE item_target_tag SET outcome = 'superseded' WHERE item_target_id = ${target.id}::uuid AND tag = ${tag} AND EXISTS (SELECT 1 FROM lease)`;
    if (count === 0) throw leaseLost(this.#lease);
  }

  /** Without a lease there is no fence: no row carries this one. */
  #fenceOf(target: TargetRun, tag: Tag): bigint {
    return this.#fences.get(keyOf(target, tag)) ?? -1n;
  }
}

/** The common table expression `stops`: what people have decided since, and stands before the tag. */
function beforeTag({ promotionId }: DispatchLease, target: TargetRun): Prisma.Sql {
  return Prisma.sql`stops AS (
    SELECT pause_of(${target.id}::uuid) IS NOT NULL AS is_paused,
           EXISTS (SELECT 1 FROM promotion_cancellation c WHERE c.promotion_id = ${promotionId}::uuid) AS is_cancelled
  )`;
}

/** What a tag was seen to hold; of an overtaken release nothing was seen. */
type SeenTag = Exclude<TagResult, { readonly outcome: 'superseded' }>;

/** The common table expression `settled`: the effect that this run or one before it left open. */
function settledAs({ tag, digest }: TagWrite, result: SeenTag): Prisma.Sql {
  const seen = result.outcome === 'conflict' ? bytesOrNull(result.found) : digestToBytes(digest);
  return Prisma.sql`settled AS (
    UPDATE effect e SET state = 'settled', settled_at = now(), observed_digest = ${seen}::bytea,
      outcome = CASE WHEN e.digest = ${seen}::bytea THEN 'written'
                     WHEN ${result.outcome === 'conflict'} AND e.previous_digest IS NOT DISTINCT FROM ${seen}::bytea THEN 'not-written'
                     ELSE 'overwritten' END
    FROM outcome
    WHERE e.item_target_id = outcome.item_target_id AND e.kind = 'tag' AND e.tag = ${tag} AND e.state = 'intended'
    RETURNING ${settledEffect}
  )`;
}

/** A lease that expired between two looks is asked for again at once. */
function waitBetween(waitMs: number | null): number {
  return Math.min(Math.max(waitMs ?? 1, 1), maxHeldWaitMs);
}

function keyOf(target: TargetRun, tag: Tag): string {
  return `${target.id}:${tag}`;
}

function bytesOrNull(digest: Digest | undefined): Uint8Array<ArrayBuffer> | null {
  return digest === undefined ? null : digestToBytes(digest);
}
