import { type Digest, digestFromBytes, digestToBytes, type Tag } from '@waybill/oci-model';
import type { StoredAnswer } from '../access/idempotency-keys.js';
import type { Decision } from '../control/decision.js';
import type { Database } from '../database.js';
import { Prisma } from '../generated/client.js';
import { answered, type ClaimedRequest } from './answered.js';
import { refuseLateHold } from './refuse-late-hold.js';
import { RetentionRefusal } from './retention-refusal.js';
import { recordAct } from './retention-record.js';

/** What nobody may remove. Without a registry it is meant of every registry, and a digest without a repository wherever it is. */
export type HoldScope =
  | { readonly scope: 'digest'; readonly registry?: string; readonly repository?: string; readonly digest: Digest }
  | { readonly scope: 'tag'; readonly registry?: string; readonly repository: string; readonly tag: Tag }
  | { readonly scope: 'repository'; readonly registry?: string; readonly repository: string };

export interface NewHold {
  readonly id: string;
  readonly on: HoldScope;
  readonly reason: string;
  readonly by: string;
  readonly expiresAt?: Date;
}

/** A hold as it is kept. */
export interface HoldRow {
  readonly id: string;
  readonly on: HoldScope;
  readonly reason: string;
  readonly placedBy: string;
  readonly placedAt: Date;
  readonly expiresAt: Date | null;
  readonly releasedBy: string | null;
  readonly releasedAt: Date | null;
  readonly releaseReason: string | null;
}

export interface HoldPage {
  /** Ids sort by the time they were made: the newest first. */
  readonly before?: string;
  readonly limit: number;
  /** Those too that were released or have expired. */
  readonly isHistory: boolean;
}

/** Most holds that are looked up at once. */
const maxHolds = 50_000;

/** Names what retention never removes, until it is released or expires. */
export class Holds {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * One transaction with the answer to the request; undefined, and nothing done, when its claim was taken over meanwhile.
   * A hold of a whole repository is always placed; what is being deleted there at this moment may still go.
   * @throws RetentionRefusal `being-deleted` where a run or a purge is deleting the digest, or what the tag names, at this moment
   */
  place({ id, on, reason, by, expiresAt }: NewHold, request: ClaimedRequest<HoldRow>): Promise<StoredAnswer | undefined> {
    return answered(this.#database, request, async (tables) => {
      const { registry = '', repository = '' } = on;
      await refuseLateHold(tables, on);
      const row = await tables.hold.create({
        data: {
          ...{ id, scope: on.scope, registry, repository, reason, placedBy: by, expiresAt: expiresAt ?? null },
          tag: on.scope === 'tag' ? on.tag : '',
          digest: on.scope === 'digest' ? digestToBytes(on.digest) : null,
        },
      });
      await recordAct(tables, { act: 'held', subject: id, by, reason, body: on });
      return toHold(row);
    });
  }

  async get(id: string): Promise<HoldRow | undefined> {
    const row = await this.#database.tables.hold.findUnique({ where: { id } });
    return row === null ? undefined : toHold(row);
  }

  async list({ before, limit, isHistory }: HoldPage): Promise<HoldRow[]> {
    const rows = await this.#database.tables.$queryRaw<RawRow[]>`
      SELECT ${columns} FROM hold
      WHERE ${before === undefined ? Prisma.sql`true` : Prisma.sql`id < ${before}::uuid`} AND ${isHistory ? Prisma.sql`true` : isOpen}
      ORDER BY id DESC LIMIT ${limit}`;
    return rows.map(toHold);
  }

  /**
   * Ends a hold; one that was released stays as it is.
   * @throws RetentionRefusal `hold-unknown`
   */
  async release(id: string, { by, reason }: Decision): Promise<HoldRow> {
    return this.#database.transaction(async (tables) => {
      const released = await tables.$executeRaw`
        UPDATE hold SET released_by = ${by}::uuid, released_at = now(), release_reason = ${reason ?? null}
        WHERE id = ${id}::uuid AND released_at IS NULL`;
      if (released > 0) await recordAct(tables, { act: 'released', subject: id, by, ...(reason === undefined ? {} : { reason }) });
      const row = await tables.hold.findUnique({ where: { id } });
      if (row === null) throw new RetentionRefusal('there is no such hold', { code: 'hold-unknown', operation: 'release hold' });
      return toHold(row);
    });
  }

  /**
   * What holds now in a registry, by its name in the topology. Rejects where there are more than can be looked at: who cannot tell
   * what is held must remove nothing.
   */
  async ofRegistry(registry: string): Promise<readonly HoldRow[]> {
    const rows = await this.#database.tables.$queryRaw<RawRow[]>`
      SELECT ${columns} FROM hold WHERE registry IN ('', ${registry}) AND ${isOpen} LIMIT ${maxHolds + 1}`;
    if (rows.length > maxHolds) {
      const facts = { code: 'too-much-protected', operation: 'read holds' } as const;
      throw new RetentionRefusal(`more than ${maxHolds} holds cover ${registry}: nobody can tell what may go`, facts);
    }
    return rows.map(toHold);
  }
}

const isOpen = Prisma.sql`released_at IS NULL AND (expires_at IS NULL OR expires_at > now())`;
const columns = Prisma.sql`id, scope, registry, repository, tag, digest, reason, placed_by AS "placedBy", placed_at AS "placedAt",
  expires_at AS "expiresAt", released_by AS "releasedBy", released_at AS "releasedAt", release_reason AS "releaseReason"`;

interface RawRow extends Omit<HoldRow, 'on'> {
  readonly scope: string;
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
  readonly digest: Uint8Array | null;
}

/** The table's checks say which columns a scope has. */
function toHold({ scope, registry, repository, tag, digest, ...row }: RawRow): HoldRow {
  const where = { ...(registry === '' ? {} : { registry }) };
  const { id, reason, placedBy, placedAt, expiresAt, releasedBy, releasedAt, releaseReason } = row;
  const facts = { id, reason, placedBy, placedAt, expiresAt, releasedBy, releasedAt, releaseReason };
  if (digest !== null) {
    return { ...facts, on: { scope: 'digest', ...where, ...(repository === '' ? {} : { repository }), digest: digestFromBytes(digest) } };
  }
  return {
    ...facts,
    on: scope === 'tag' ? { scope, ...where, repository, tag: tag as Tag } : { scope: 'repository', ...where, repository },
  };
}
