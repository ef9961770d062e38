import { type Digest, digestFromBytes, digestToBytes, type Tag } from '@waybill/oci-model';
import type { EffectReadBack, TargetRun, UnsettledEffect } from '@waybill/promotion';
import type { Database, Tables } from '../database.js';
import { Prisma } from '../generated/client.js';
import { type DispatchLease, leaseLost, underLease } from './dispatch-lease.js';

/**
 * Of a statement that settles effects: what its common table expression `settled` returns
 * and the record is made of. An effect is settled once, so it has one record, whatever crashes and retries.
 */
export const settledEffect = Prisma.sql`e.id, e.promotion_id, e.item_target_id, e.kind, e.registry_id, e.repository, e.tag, e.digest,
  e.previous_digest, e.observed_digest, e.outcome, e.intended_at`;

/** The common table expression that appends the records of `settled`. */
export const recordSettled = Prisma.sql`recorded AS (
  INSERT INTO provenance_record (kind, promotion_id, subject, effect_id, body)
  SELECT 'effect', s.promotion_id, s.digest, s.id, jsonb_strip_nulls(jsonb_build_object(
    'effect', s.kind, 'registry', r.name, 'repository', s.repository, 'tag', nullif(s.tag, ''), 'outcome', s.outcome,
    'previous', digest_text(s.previous_digest), 'observed', digest_text(s.observed_digest), 'intendedAt', s.intended_at,
    'reason', CASE s.outcome WHEN 'unknown' THEN 'the registry was replaced: nobody can read what became of it' END))
  FROM settled s JOIN registry r ON r.id = s.registry_id ORDER BY s.intended_at, s.id
)`;

/**
 * The common table expression that notes what tags of `settled` were seen to hold. What was not our
 * own write is an event only when it is news: a newer release of ours has noted its own. So is the image of a release that was
 * overtaken: where the newer one brought the same image, nobody can tell whose write is seen, and the newer one's is the last.
 * What an intent that is still open may have brought is noted when that one is settled.
 */
export const noteTagEvents = Prisma.sql`events AS (
  INSERT INTO tag_event (registry_id, repository, tag, digest, previous_digest, effect_id)
  SELECT s.registry_id, s.repository, s.tag, s.observed_digest, s.previous_digest, s.id
  FROM settled s LEFT JOIN LATERAL (
    SELECT e.digest FROM tag_event e WHERE e.registry_id = s.registry_id AND e.repository = s.repository AND e.tag = s.tag ORDER BY e.id DESC LIMIT 1
  ) last ON true CROSS JOIN LATERAL (
    SELECT EXISTS (
      SELECT 1 FROM item_target_tag g JOIN tag_order o ON o.registry_id = s.registry_id AND o.repository = s.repository AND o.tag = s.tag
      WHERE g.item_target_id = s.item_target_id AND g.tag = s.tag AND o.written_ticket > g.ticket) AS is_overtaken
  ) ours
  WHERE s.kind = 'tag' AND ((s.outcome = 'written' AND NOT ours.is_overtaken)
    OR (s.outcome IN ('written', 'overwritten') AND (last IS NULL OR last.digest IS DISTINCT FROM s.observed_digest)
      AND NOT EXISTS (
        SELECT 1 FROM effect open WHERE open.state = 'intended' AND open.kind = 'tag' AND open.registry_id = s.registry_id
          AND open.repository = s.repository AND open.tag = s.tag AND open.digest = s.observed_digest AND open.id <> s.id)))
)`;

/** Effects on the target that were intended and not settled, oldest first; rejects when the lease is lost. */
export async function unsettledEffects(database: Database, lease: DispatchLease, target: TargetRun): Promise<UnsettledEffect[]> {
  const rows = await database.tables.$queryRaw<{ id: string | null; kind: UnsettledEffect['kind']; digest: Uint8Array; tag: Tag }[]>`
    WITH ${underLease(lease)}
    SELECT e.id, e.kind, e.digest, e.tag FROM lease
      LEFT JOIN effect e ON e.item_target_id = ${target.id}::uuid AND e.state = 'intended' AND e.kind IN ('manifest', 'tag')
    ORDER BY e.intended_at, e.id`;
  if (rows.length === 0) throw leaseLost(lease);
  return rows.flatMap(({ id, kind, digest: bytes, tag }): UnsettledEffect[] => {
    if (id === null) return [];
    const digest: Digest = digestFromBytes(bytes);
    return [kind === 'tag' ? { id, kind, digest, tag } : { id, kind, digest }];
  });
}

/** Settles what was read back at targets that end with effects open, under the lease. */
export async function settleReadBack(tables: Tables, lease: DispatchLease, readBack: readonly EffectReadBack[]): Promise<void> {
  await settleSeen(tables, { promotionId: lease.promotionId, guard: underLease(lease) }, readBack);
}

/** Whose effects may be settled. */
export interface SettlingRight {
  readonly promotionId: string;
  /** A common table expression `lease`, with a row while the right holds. */
  readonly guard: Prisma.Sql;
}

/**
 * Settles effects from what was seen of them; gives how many. A tag that turns out to be ours counts in the order of its
 * writes; its lease runs out by itself, since a write that was cut off may still land. One that was overtaken stays so, whatever it holds.
 */
export async function settleSeen(tables: Tables, right: SettlingRight, readBack: readonly EffectReadBack[]): Promise<number> {
  if (readBack.length === 0) return 0;
  await lockTags(tables, right, readBack);
  const seen = readBack.map(({ effectId, found }) => ({ id: effectId, found: found === undefined ? null : hexOf(found) }));
  const [row] = await tables.$queryRaw<{ settled: bigint }[]>`
    WITH ${right.guard}, seen AS (
      SELECT id, decode(found, 'hex') AS found FROM jsonb_to_recordset(${JSON.stringify(seen)}::jsonb) AS seen (id uuid, found text)
    ), settled AS (
      UPDATE effect e SET state = 'settled', settled_at = now(), observed_digest = seen.found,
        outcome = CASE WHEN seen.found = e.digest THEN 'written'
                       WHEN e.kind = 'manifest' OR seen.found IS NOT DISTINCT FROM e.previous_digest THEN 'not-written'
                       ELSE 'overwritten' END
      FROM seen WHERE e.id = seen.id AND e.promotion_id = ${right.promotionId}::uuid AND e.state = 'intended' AND EXISTS (SELECT 1 FROM lease)
      RETURNING ${settledEffect}
    ), ${recordSettled}, ${noteTagEvents}, written AS (
      UPDATE item_target_tag t SET outcome = 'written'
      FROM settled s WHERE s.kind = 'tag' AND s.outcome = 'written' AND t.item_target_id = s.item_target_id AND t.tag = s.tag
        AND t.outcome IS DISTINCT FROM 'superseded'
      RETURNING s.registry_id, s.repository, s.tag, s.digest, t.ticket
    ), ordered AS (
      UPDATE tag_order o SET written_ticket = w.ticket, written_digest = w.digest, written_order = nextval('order_of_events')
      FROM written w WHERE o.registry_id = w.registry_id AND o.repository = w.repository AND o.tag = w.tag AND o.written_ticket < w.ticket
    )
    SELECT count(*) AS settled FROM settled`;
  return Number(row?.settled ?? 0);
}

/**
 * Waits for whoever writes the same tags: only a statement that begins afterwards sees whether they have overtaken us.
 * In the order in which requests lock them, so that none waits for another in a circle.
 */
async function lockTags(tables: Tables, { guard }: SettlingRight, readBack: readonly EffectReadBack[]): Promise<void> {
  const ids = readBack.map(({ effectId }) => effectId);
  await tables.$queryRaw`
    WITH ${guard}, wanted AS (
      SELECT DISTINCT registry_id, repository, tag FROM effect WHERE id = ANY(${ids}::uuid[]) AND kind = 'tag' AND EXISTS (SELECT 1 FROM lease)
    )
    SELECT 1 FROM tag_order o JOIN wanted w ON o.registry_id = w.registry_id AND o.repository = w.repository AND o.tag = w.tag
    ORDER BY o.registry_id, o.repository, o.tag FOR UPDATE OF o`;
}

function hexOf(digest: Digest): string {
  return Buffer.from(digestToBytes(digest)).toString('hex');
}
