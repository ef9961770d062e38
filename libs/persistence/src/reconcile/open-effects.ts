import { type Digest, digestFromBytes, type RepositoryName, type Tag } from '@waybill/oci-model';
import type { EffectReadBack } from '@waybill/promotion';
import type { Database } from '../database.js';
import { Prisma } from '../generated/client.js';
import { channels } from '../notifications.js';
import { notify } from '../notify.js';
import { recordSettled, settledEffect, settleSeen } from '../run/settle-effects.js';
import { lockPromotion } from '../run/settle-promotion.js';

/** Effects read back in one go. */
const batch = 50;
/** How soon an effect is read again that could not be read: doubled each time, up to the longest. */
const firstDelay = '30 seconds';
const longestDelay = '6 hours';

/** A durable change whose target has ended without knowing what became of it. */
export interface OpenEffect {
  readonly id: string;
  readonly promotionId: string;
  readonly itemTargetId: string;
  /** When the target ended: it may have been tried again, and have ended again, by the time at which the effect was read. */
  readonly targetEndedAt: string | null;
  readonly registry: string;
  /** Where a local registry listens now. */
  readonly address: string | undefined;
  readonly repository: RepositoryName;
  readonly digest: Digest;
  /** Absent for a manifest. */
  readonly tag?: Tag;
}

interface Row {
  readonly id: string;
  readonly promotion_id: string;
  readonly item_target_id: string;
  readonly target_ended_at: string | null;
  readonly registry: string;
  readonly address: string | null;
  readonly repository: string;
  readonly digest: Uint8Array;
  readonly tag: string;
}

/** What stands in the way of settling an effect from outside: a run at its target's location. */
const hasRun = Prisma.sql`EXISTS (
  SELECT 1 FROM dispatch d WHERE d.promotion_id = t.promotion_id AND d.location = t.location AND d.state = 'leased' AND d.lease_expires_at > now())`;

/** The effects that no run will settle any more. */
export class OpenEffects {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Claims effects of ended targets at these locations, longest due first, and makes each due again later: whoever
   * dies over them has not kept them. Not among them is a tag whose lease still holds: its write may still land; nor what is at a
   * registry that was replaced: nothing is read in the name of the old one.
   */
  async claim(locations: readonly string[] | 'all'): Promise<OpenEffect[]> {
    const here = locations === 'all' ? Prisma.empty : Prisma.sql`AND t.location = ANY(${[...locations]}::text[])`;
    const rows = await this.#database.tables.$queryRaw<Row[]>`
      WITH due AS (
        SELECT e.id FROM effect e JOIN item_target t ON t.id = e.item_target_id JOIN registry r ON r.id = e.registry_id AND r.replaced_at IS NULL
        WHERE e.state = 'intended' AND e.read_due_at <= now() AND e.kind IN ('manifest', 'tag') AND t.state = 'done' ${here}
          AND NOT ${hasRun} AND NOT EXISTS (
            SELECT 1 FROM tag_order o WHERE e.kind = 'tag' AND o.registry_id = e.registry_id AND o.repository = e.repository AND o.tag = e.tag
              AND o.lease_expires_at > now())
        ORDER BY e.read_due_at LIMIT ${batch} FOR UPDATE OF e SKIP LOCKED
      ), claimed AS (
        UPDATE effect e SET read_attempts = e.read_attempts + 1,
          read_due_at = now() + least(${longestDelay}::interval, ${firstDelay}::interval * 2 ^ least(e.read_attempts, 20))
        FROM due WHERE e.id = due.id
        RETURNING e.*
      )
      SELECT c.id, c.promotion_id, c.item_target_id, extract(epoch FROM t.finished_at)::text AS target_ended_at,
             r.name AS registry, r.address, c.repository, c.digest, c.tag
      FROM claimed c JOIN registry r ON r.id = c.registry_id JOIN item_target t ON t.id = c.item_target_id ORDER BY c.intended_at, c.id`;
    return rows.map(toEffect);
  }

  /**
   * Settles what is open at registries that were replaced as `unknown`, with records that say so; gives how many. No retry
   * comes to them any more, so nobody else would.
   */
  async settleUnreadable(): Promise<number> {
    const rows = await this.#database.tables.$queryRaw<unknown[]>`
      WITH lost AS (
        SELECT e.id FROM effect e JOIN item_target t ON t.id = e.item_target_id JOIN registry r ON r.id = e.registry_id
        WHERE e.state = 'intended' AND e.kind IN ('manifest', 'tag') AND t.state = 'done' AND r.replaced_at IS NOT NULL AND NOT ${hasRun}
        ORDER BY e.intended_at LIMIT ${batch} FOR UPDATE OF e SKIP LOCKED
      ), settled AS (
        UPDATE effect e SET state = 'settled', settled_at = now(), outcome = 'unknown' FROM lost WHERE e.id = lost.id
        RETURNING ${settledEffect}
      ), ${recordSettled}
      SELECT pg_notify(${channels.promotion}, promotion_id::text)::text FROM settled`;
    return rows.length;
  }

  /**
   * Settles effects of one target from what was read back, each once and with its record; gives how many. Nothing is
   * settled when the target was taken up again meanwhile: what was read is older than what that run may have written.
   */
  async settle(
    target: Pick<OpenEffect, 'promotionId' | 'itemTargetId' | 'targetEndedAt'>,
    readBack: readonly EffectReadBack[],
  ): Promise<number> {
    const { promotionId, itemTargetId, targetEndedAt } = target;
    const guard = Prisma.sql`lease AS (
      SELECT 1 FROM item_target t WHERE t.id = ${itemTargetId}::uuid AND t.state = 'done' AND NOT ${hasRun}
        AND extract(epoch FROM t.finished_at)::text IS NOT DISTINCT FROM ${targetEndedAt}::text)`;
    return await this.#database.transaction(async (tables) => {
      // Neither a run nor a retry begins while the promotion is locked.
      await lockPromotion(tables, promotionId);
      const settled = await settleSeen(tables, { promotionId, guard }, readBack);
      if (settled > 0) await notify(tables, 'promotion', promotionId);
      return settled;
    });
  }
}

function toEffect(row: Row): OpenEffect {
  return {
    id: row.id,
    promotionId: row.promotion_id,
    itemTargetId: row.item_target_id,
    targetEndedAt: row.target_ended_at,
    registry: row.registry,
    address: row.address ?? undefined,
    repository: row.repository as RepositoryName,
    digest: digestFromBytes(row.digest),
    ...(row.tag === '' ? {} : { tag: row.tag as Tag }),
  };
}
