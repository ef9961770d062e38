import { type IdSource, uuidV7 } from '@waybill/kernel';
import { type Digest, digestFromBytes, type RepositoryName } from '@waybill/oci-model';
import type { Database, Tables } from '../database.js';
import { Prisma } from '../generated/client.js';
import { noteGap } from './note-gap.js';
import type { GapReason } from './told.js';

/** A registry that tells us what happens there. */
export interface NotifyingRegistry {
  readonly name: string;
  readonly location: string;
  /** Who is not heard for so long may have lost something. */
  readonly silenceMs: number;
}

/** A read that is due: the registry is to tell of it. */
export interface Heartbeat {
  readonly id: string;
  readonly registry: { readonly id: string; readonly name: string; readonly address: string | undefined };
  /** A manifest that is known to be there; undefined while none is. */
  readonly manifest: { readonly repository: RepositoryName; readonly digest: Digest } | undefined;
}

/** How well a registry is heard. */
export interface FeedState {
  readonly registry: string;
  readonly silenceMs: number;
  /** When the last heartbeat was sent that it told of. */
  readonly heardAt: Date | undefined;
  /** Since when every pull is known; undefined when that is not known of now. */
  readonly knownSince: Date | undefined;
  readonly gapAt: Date;
  readonly gapReason: GapReason;
  /** How often what was known was lost. */
  readonly gaps: number;
  /** Tags and digests that are to be asked about. */
  readonly hints: number;
}

/** Heartbeats within a silence: one may be lost on the way without a gap. */
const beatsPerSilence = 3;

/** How well registries are heard, and when each is to be tried. */
export class NotificationFeeds {
  readonly #database: Database;
  readonly #ids: IdSource;

  constructor(database: Database, ids: IdSource = uuidV7) {
    this.#database = database;
    this.#ids = ids;
  }

  /** Makes the feeds what the topology says. Of registries that tell nothing any more, nothing stays. */
  async declare(registries: readonly NotifyingRegistry[]): Promise<void> {
    const wanted = JSON.stringify(registries);
    await this.#database.transaction(async (tables) => {
      const rows = await tables.$queryRaw<{ id: string }[]>`
        INSERT INTO notification_feed AS f (registry_id, location, silence)
        SELECT r.id, w.location, w."silenceMs" * interval '1 millisecond'
        FROM jsonb_to_recordset(${wanted}::jsonb) AS w (name text, location text, "silenceMs" float8)
          JOIN registry r ON r.name = w.name AND r.replaced_at IS NULL
        ORDER BY r.id
        ON CONFLICT (registry_id) DO UPDATE SET location = excluded.location, silence = excluded.silence,
          next_beat_at = least(f.next_beat_at, now() + excluded.silence / ${beatsPerSilence})
        RETURNING registry_id AS id`;
      await forgetOthers(
        tables,
        rows.map(({ id }) => id),
      );
    });
  }

  /**
   * Looks whether the registry whose time has come, at one of these locations, has been silent, and begins a heartbeat;
   * undefined when none is due. Registries that have never told of anything are not asked to.
   */
  async beginBeat(locations: readonly string[] | 'all'): Promise<Heartbeat | undefined> {
    const at = locations === 'all' ? Prisma.sql`true` : Prisma.sql`f.location = ANY(${[...locations]}::text[])`;
    return await this.#database.transaction(async (tables) => {
      const [due] = await tables.$queryRaw<{ id: string; name: string; address: string | null }[]>`
        UPDATE notification_feed f SET next_beat_at = now() + f.silence / ${beatsPerSilence}
        FROM registry r
        WHERE r.id = f.registry_id AND f.registry_id = (
          SELECT f.registry_id FROM notification_feed f JOIN registry r ON r.id = f.registry_id
          WHERE f.next_beat_at <= now() AND r.replaced_at IS NULL AND ${at}
            AND (f.heard_at IS NOT NULL OR EXISTS (SELECT 1 FROM notification_instance i WHERE i.registry_id = f.registry_id))
          ORDER BY f.next_beat_at LIMIT 1 FOR UPDATE OF f SKIP LOCKED)
        RETURNING r.id, r.name, r.address`;
      if (due === undefined) return undefined;
      await noteSilence(tables, due.id);
      const manifest = await someManifest(tables, due.id);
      const id = this.#ids.next();
      if (manifest !== undefined) {
        await tables.$executeRaw`INSERT INTO notification_heartbeat (id, registry_id) VALUES (${id}::uuid, ${due.id}::uuid)`;
      }
      return { id, registry: { id: due.id, name: due.name, address: due.address ?? undefined }, manifest };
    });
  }

  /** The registry served the read: from now on it is to tell of it, if it has not already. */
  async answered({ id }: Heartbeat): Promise<void> {
    await this.#database.tables.$executeRaw`UPDATE notification_heartbeat SET answered_at = clock_timestamp() WHERE id = ${id}::uuid`;
  }

  /** The registry did not serve it: nothing is to be told. */
  async unanswered({ id }: Heartbeat): Promise<void> {
    await this.#database.tables.$executeRaw`DELETE FROM notification_heartbeat WHERE id = ${id}::uuid`;
  }

  /** The registry does not have it any more: that is asked about, and another one is read the next time. */
  async missing(heartbeat: Heartbeat): Promise<void> {
    const { registry, manifest } = heartbeat;
    await this.unanswered(heartbeat);
    await this.#database.tables.$executeRaw`
      INSERT INTO notification_hint AS h (registry_id, repository, reference, location, deleted_at)
      SELECT f.registry_id, ${manifest?.repository}, ${manifest?.digest}, f.location, now() FROM notification_feed f
      WHERE f.registry_id = ${registry.id}::uuid AND ${manifest !== undefined}
      ON CONFLICT (registry_id, repository, reference) DO UPDATE SET version = h.version + 1, deleted_at = excluded.deleted_at`;
  }

  async states(): Promise<readonly FeedState[]> {
    const rows = await this.#database.tables.$queryRaw<StateRow[]>`
      SELECT r.name AS registry, (extract(epoch FROM f.silence) * 1000)::float8 AS silence_ms, f.heard_at, f.gap_at, f.gap_reason, f.gaps,
        CASE WHEN f.heard_at >= clock_timestamp() - f.silence THEN f.known_since END AS known_since,
        (SELECT count(*) FROM notification_hint h WHERE h.registry_id = f.registry_id) AS hints
      FROM notification_feed f JOIN registry r ON r.id = f.registry_id WHERE r.replaced_at IS NULL ORDER BY r.name`;
    return rows.map(toState);
  }
}

interface StateRow {
  readonly registry: string;
  readonly silence_ms: number;
  readonly heard_at: Date | null;
  readonly known_since: Date | null;
  readonly gap_at: Date;
  readonly gap_reason: GapReason;
  readonly gaps: bigint;
  readonly hints: bigint;
}

function toState(row: StateRow): FeedState {
  return {
    registry: row.registry,
    silenceMs: row.silence_ms,
    heardAt: row.heard_at ?? undefined,
    knownSince: row.known_since ?? undefined,
    gapAt: row.gap_at,
    gapReason: row.gap_reason,
    gaps: Number(row.gaps),
    hints: Number(row.hints),
  };
}

async function forgetOthers(tables: Tables, registryIds: readonly string[]): Promise<void> {
  const kept = [...registryIds];
  for (const table of ['notification_heartbeat', 'notification_instance', 'notification_hint', 'notification_event', 'notification_feed']) {
    await tables.$executeRaw`DELETE FROM ${Prisma.raw(table)} WHERE registry_id <> ALL(${kept}::uuid[])`;
  }
}

/**
 * What is locked is being heard just now, so it is passed over. Heartbeats that nobody knows to have been served are those of
 * workers that died.
 */
async function noteSilence(tables: Tables, registryId: string): Promise<void> {
  const before = Prisma.sql`(SELECT clock_timestamp() - silence FROM notification_feed WHERE registry_id = ${registryId}::uuid)`;
  const untold = await tables.$queryRaw<{ answered_at: Date | null }[]>`
    DELETE FROM notification_heartbeat WHERE id IN (
      SELECT id FROM notification_heartbeat WHERE registry_id = ${registryId}::uuid AND sent_at < ${before} FOR UPDATE SKIP LOCKED)
    RETURNING answered_at`;
  const silent = await tables.$executeRaw`
    DELETE FROM notification_instance WHERE (registry_id, id) IN (
      SELECT registry_id, id FROM notification_instance WHERE registry_id = ${registryId}::uuid AND last_heard_at < ${before} FOR UPDATE SKIP LOCKED)`;
  const [feed] = await tables.$queryRaw<{ is_silent: boolean }[]>`
    SELECT known_since IS NOT NULL AND heard_at < ${before} AS is_silent FROM notification_feed WHERE registry_id = ${registryId}::uuid`;
  if (untold.some(({ answered_at: answeredAt }) => answeredAt !== null)) await noteGap(tables, [registryId], 'heartbeat');
  else if (silent > 0) await noteGap(tables, [registryId], 'instance');
  else if (feed?.is_silent === true) await noteGap(tables, [registryId], 'silence');
}

async function someManifest(tables: Tables, registryId: string): Promise<Heartbeat['manifest']> {
  const [row] = await tables.$queryRaw<{ repository: RepositoryName; digest: Uint8Array }[]>`
    SELECT p.repository, p.digest FROM placement p JOIN manifest m ON m.digest = p.digest
    WHERE p.registry_id = ${registryId}::uuid AND p.seen_until IS NULL LIMIT 1`;
  return row === undefined ? undefined : { repository: row.repository, digest: digestFromBytes(row.digest) };
}
