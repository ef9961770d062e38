import { type Digest, digestFromBytes, digestToBytes, type Tag } from '@waybill/oci-model';
import type { TagResult, TagTurn, TargetRun } from '@waybill/promotion';
import type { Database } from '../database.js';
import { type DispatchLease, leaseLost, underLease } from './dispatch-lease.js';

/** How often a tag that somebody else is writing is asked for again, at the most. */
const maxHeldWaitMs = 250;

/** One name of one target, and what we want it to be. */
interface TagWrite {
  readonly target: TargetRun;
  readonly tag: Tag;
  readonly digest: Digest;
}

/**
 * The order of writes to a tag, and the lease under which one of them happens.
 * Invariant: `written_ticket` never falls, and what raises it held the lease.
 */
export class TagLeases {
  readonly #database: Database;
  readonly #leaseMs: number;
  readonly #fences = new Map<string, bigint>();

  constructor(database: Database, options: { readonly leaseMs: number }) {
    this.#database = database;
    this.#leaseMs = options.leaseMs;
  }

  async acquire(lease: DispatchLease, target: TargetRun, tag: Tag): Promise<TagTurn> {
    const [row] = await this.#database.tables.$queryRaw<
      { taken: boolean; superseded: boolean; wait_ms: number; fence: bigint | null; written_digest: Uint8Array | null; intended: boolean }[]
    >`
      WITH ${underLease(lease)}, wanted AS (
        SELECT o.registry_id, o.repository, o.tag, t.ticket
        FROM item_target_tag t JOIN item_target i ON i.id = t.item_target_id
          JOIN tag_order o ON o.registry_id = i.registry_id AND o.repository = i.repository AND o.tag = t.tag
        WHERE t.item_target_id = ${target.id}::uuid AND t.tag = ${tag} AND EXISTS (SELECT 1 FROM lease)
      ), taken AS (
        UPDATE tag_order o
        SET lease_holder = ${lease.holder}, lease_fence = lease_fence + 1, lease_expires_at = now() + ${this.#leaseMs} * interval '1 millisecond'
        FROM wanted w
        WHERE o.registry_id = w.registry_id AND o.repository = w.repository AND o.tag = w.tag
          AND o.written_ticket <= w.ticket AND (o.lease_expires_at IS NULL OR o.lease_expires_at < now())
        RETURNING o.lease_fence, o.written_digest
      )
      SELECT EXISTS (SELECT 1 FROM taken) AS taken,
             o.written_ticket > w.ticket AS superseded,
             greatest(extract(epoch FROM o.lease_expires_at - now()) * 1000, 1)::float8 AS wait_ms,
             (SELECT lease_fence FROM taken) AS fence,
             (SELECT written_digest FROM taken) AS written_digest,
             EXISTS (SELECT 1 FROM effect e WHERE e.item_target_id = ${target.id}::uuid AND e.kind = 'tag' AND e.tag = ${tag}) AS intended
      FROM wanted w JOIN tag_order o ON o.registry_id = w.registry_id AND o.repository = w.repository AND o.tag = w.tag`;
    if (row === undefined) throw leaseLost(lease);
    if (row.taken && row.fence !== null) {
      this.#fences.set(keyOf(target, tag), row.fence);
      const lastWritten = row.written_digest === null ? undefined : digestFromBytes(row.written_digest);
      return { turn: 'ours', leaseMs: this.#leaseMs, lastWritten, intendedBefore: row.intended };
    }
    return row.superseded ? { turn: 'superseded' } : { turn: 'held', retryAfterMs: Math.min(row.wait_ms ?? maxHeldWaitMs, maxHeldWaitMs) };
  }

  /** Write-ahead. Rejects when either lease is lost: then nothing may be sent. */
  async intend(lease: DispatchLease, write: TagWrite, effectId: string, previous: Digest | undefined): Promise<void> {
    const { target, tag, digest } = write;
    const [row] = await this.#database.tables.$queryRaw<{ held: boolean }[]>`
      WITH ${underLease(lease)}, mine AS (
        SELECT i.promotion_id, i.registry_id, i.repository
        FROM item_target i JOIN tag_order o ON o.registry_id = i.registry_id AND o.repository = i.repository AND o.tag = ${tag}
        WHERE i.id = ${target.id}::uuid AND EXISTS (SELECT 1 FROM lease)
          AND o.lease_fence = ${this.#fenceOf(target, tag)} AND o.lease_expires_at > now()
      ), intended AS (
        INSERT INTO effect (id, promotion_id, item_target_id, kind, registry_id, repository, digest, tag, previous_digest, state)
        SELECT ${effectId}::uuid, promotion_id, ${target.id}::uuid, 'tag', registry_id, repository, ${digestToBytes(digest)}, ${tag},
               ${bytesOrNull(previous)}::bytea, 'intended'
        FROM mine
        ON CONFLICT (item_target_id, kind, digest, tag) DO NOTHING
      )
      SELECT EXISTS (SELECT 1 FROM mine) AS held`;
    if (row?.held !== true) throw leaseLost(lease);
  }

  /**
   * Settles the effect from what was read back, appends its record, notes the tag event,
   * raises the written ticket and gives the lease up: one statement.
   */
  async settle(lease: DispatchLease, write: TagWrite, result: TagResult): Promise<void> {
    const { target, tag, digest } = write;
    const wrote = result.outcome === 'written' || result.outcome === 'already-present';
    const observed = wrote ? digest : result.outcome === 'conflict' ? result.found : undefined;
    const found = result.outcome === 'conflict' ? bytesOrNull(result.found) : null;
    const [row] = await this.#database.tables.$queryRaw<{ held: boolean }[]>`
      WITH ${underLease(lease)}, outcome AS (
        UPDATE item_target_tag SET outcome = ${result.outcome}, found_digest = ${found}::bytea
        WHERE item_target_id = ${target.id}::uuid AND tag = ${tag} AND EXISTS (SELECT 1 FROM lease)
        RETURNING item_target_id, ticket
      ), settled AS (
        UPDATE effect e SET state = 'settled', settled_at = now(), observed_digest = ${bytesOrNull(observed)}::bytea,
          outcome = CASE WHEN ${wrote} THEN 'written'
                         WHEN e.previous_digest IS NOT DISTINCT FROM ${bytesOrNull(observed)}::bytea AND ${result.outcome !== 'superseded'} THEN 'not-written'
                         ELSE 'overwritten' END
        FROM outcome WHERE e.item_target_id = outcome.item_target_id AND e.kind = 'tag' AND e.tag = ${tag} AND e.state = 'intended'
        RETURNING e.id, e.promotion_id, e.registry_id, e.repository, e.tag, e.digest, e.previous_digest, e.observed_digest, e.outcome, e.intended_at
      ), recorded AS (
        INSERT INTO provenance_record (kind, promotion_id, subject, effect_id, body)
        SELECT 'effect', s.promotion_id, s.digest, s.id, jsonb_strip_nulls(jsonb_build_object(
          'effect', 'tag', 'registry', r.name, 'repository', s.repository, 'tag', s.tag, 'outcome', s.outcome,
          'previous', digest_text(s.previous_digest), 'observed', digest_text(s.observed_digest),
          'intendedAt', s.intended_at))
        FROM settled s JOIN registry r ON r.id = s.registry_id
      ), event AS (
        INSERT INTO tag_event (registry_id, repository, tag, digest, previous_digest, effect_id)
        SELECT registry_id, repository, tag, observed_digest, previous_digest, id FROM settled WHERE outcome <> 'not-written'
      ), ordered AS (
        UPDATE tag_order o
        SET lease_expires_at = NULL, lease_holder = NULL,
            written_ticket = CASE WHEN ${wrote} THEN greatest(o.written_ticket, outcome.ticket) ELSE o.written_ticket END,
            written_digest = CASE WHEN ${wrote} THEN ${digestToBytes(digest)} ELSE o.written_digest END
        FROM outcome JOIN item_target i ON i.id = outcome.item_target_id
        WHERE o.registry_id = i.registry_id AND o.repository = i.repository AND o.tag = ${tag} AND o.lease_fence = ${this.#fenceOf(target, tag)}
      )
      SELECT EXISTS (SELECT 1 FROM lease) AS held`;
    this.#fences.delete(keyOf(target, tag));
    if (row?.held !== true) throw leaseLost(lease);
  }

  /** No lease was taken for a tag that a newer release has written: no row carries this fence. */
  #fenceOf(target: TargetRun, tag: Tag): bigint {
    return this.#fences.get(keyOf(target, tag)) ?? -1n;
  }
}

function keyOf(target: TargetRun, tag: Tag): string {
  return `${target.id}:${tag}`;
}

function bytesOrNull(digest: Digest | undefined): Uint8Array<ArrayBuffer> | null {
  return digest === undefined ? null : digestToBytes(digest);
}
