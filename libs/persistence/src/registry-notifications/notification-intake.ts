import { digestToBytes } from '@waybill/oci-model';
import type { Database, Tables } from '../database.js';
import { hearHeartbeats } from './hear-heartbeats.js';
import { noteGap } from './note-gap.js';
import type { Delivery, Told } from './told.js';

export interface TakenIn {
  /** Of what was told, what had been told before. */
  readonly repeated: number;
  /** What nobody will ask about, since too much waits to be asked about already. */
  readonly dropped: number;
}

export interface NotificationIntakeOptions {
  /** Of one registry; what is told beyond it is left to crawls. */
  readonly maxHints?: number;
}

const defaultMaxHints = 10_000;
/** What was told is known again for so long. */
const keptFor = '1 day';
const purgedAtOnce = 1_000;

interface TakenTold extends Told {
  readonly registryId: string;
  readonly location: string;
}

/**
 * Takes in what registries tell. Invariants: what was told once counts once; nobody is waited for who looks at the same places;
 * a pull that is not kept is a gap.
 */
export class NotificationIntake {
  readonly #database: Database;
  readonly #maxHints: number;

  constructor(database: Database, { maxHints = defaultMaxHints }: NotificationIntakeOptions = {}) {
    this.#database = database;
    this.#maxHints = maxHints;
  }

  /** All of it in one transaction; what this resolves for is kept. */
  async take(deliveries: readonly Delivery[]): Promise<TakenIn> {
    const told = deliveries.flatMap(({ registryId, location, told: some }) => some.map((one) => ({ ...one, registryId, location })));
    return await this.#database.transaction(async (tables) => {
      const fresh = await freshOf(tables, told);
      const changed = await hearInstances(tables, deliveries);
      const unplaced = await notePulls(tables, fresh);
      const dropped = await this.#hint(tables, [...fresh.filter(({ what }) => what !== 'pulled'), ...unplaced]);
      const lost = dropped.filter(({ what }) => what === 'pulled').map(({ registryId }) => registryId);
      await noteGap(tables, changed, 'instance');
      await noteGap(tables, idsOf(deliveries.filter(({ isIncomplete }) => isIncomplete)), 'unreadable');
      await noteGap(tables, [...new Set(lost)], 'overflow');
      await hearHeartbeats(tables, deliveries);
      return { repeated: told.length - fresh.length, dropped: dropped.length };
    });
  }

  /** Forgets ids that are past their time, at most 1,000; gives how many. */
  async purge(): Promise<number> {
    return await this.#database.tables.$executeRaw`
      DELETE FROM notification_event WHERE (registry_id, id) IN (
        SELECT registry_id, id FROM notification_event WHERE heard_at < now() - ${keptFor}::interval ORDER BY heard_at LIMIT ${purgedAtOnce})`;
  }

  /** Leaves each tag and digest to be asked about, a tag with what it was pushed on last; gives what there was no room for. */
  async #hint(tables: Tables, told: readonly TakenTold[]): Promise<readonly TakenTold[]> {
    if (told.length === 0) return [];
    const full = await this.#fullOnes(tables, [...new Set(told.map(({ registryId }) => registryId))]);
    const kept = told.filter(({ registryId }) => !full.has(registryId));
    const hints = kept.flatMap((one, order) =>
      referencesOf(one).map((reference) => ({
        ...placeOf(one),
        ...{ reference, order, what: one.what, at: one.location },
        ...(one.what === 'pushed' && reference === one.tag ? { digest: hexOf(one) } : {}),
      })),
    );
    await tables.$executeRaw`
      INSERT INTO notification_hint AS h (registry_id, repository, reference, location, pushed_at, pulled_at, deleted_at, digest)
      SELECT t.registry, t.repository, t.reference, min(t.at),
        CASE WHEN bool_or(t.what = 'pushed') THEN now() END,
        CASE WHEN bool_or(t.what = 'pulled') THEN now() END,
        CASE WHEN bool_or(t.what = 'deleted') THEN now() END,
        decode(nullif((array_agg(t.digest ORDER BY t.order DESC) FILTER (WHERE t.what = 'pushed'))[1], ''), 'hex')
      FROM jsonb_to_recordset(${JSON.stringify(hints)}::jsonb)
        AS t (registry uuid, repository text, reference text, what text, at text, digest text, "order" integer)
      GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
      ON CONFLICT (registry_id, repository, reference) DO UPDATE SET version = h.version + 1, location = excluded.location,
        pushed_at = greatest(h.pushed_at, excluded.pushed_at), pulled_at = greatest(h.pulled_at, excluded.pulled_at),
        deleted_at = greatest(h.deleted_at, excluded.deleted_at),
        digest = CASE WHEN excluded.pushed_at IS NULL THEN h.digest ELSE excluded.digest END`;
    return told.filter(({ registryId }) => full.has(registryId));
  }

  async #fullOnes(tables: Tables, registryIds: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await tables.$queryRaw<{ id: string }[]>`
      SELECT r.id FROM unnest(${[...registryIds]}::uuid[]) AS r (id)
      WHERE (SELECT count(*) FROM (SELECT 1 FROM notification_hint h WHERE h.registry_id = r.id LIMIT ${this.#maxHints}) capped) >= ${this.#maxHints}`;
    return new Set(rows.map(({ id }) => id));
  }
}

/** What was not told before, of each id the first. */
async function freshOf(tables: Tables, told: readonly TakenTold[]): Promise<readonly TakenTold[]> {
  if (told.length === 0) return [];
  const events = told.map(({ registryId, eventId }) => ({ registry: registryId, event: eventId }));
  const rows = await tables.$queryRaw<{ registry_id: string; id: string }[]>`
    INSERT INTO notification_event (registry_id, id)
    SELECT DISTINCT t.registry, t.event FROM jsonb_to_recordset(${JSON.stringify(events)}::jsonb) AS t (registry uuid, event text) ORDER BY 1, 2
    ON CONFLICT DO NOTHING RETURNING registry_id, id`;
  const fresh = new Set(rows.map(({ registry_id: registryId, id }) => `${registryId} ${id}`));
  return told.filter(({ registryId, eventId }) => fresh.delete(`${registryId} ${eventId}`));
}

/** Gives the registries that have a process which was not known. */
async function hearInstances(tables: Tables, deliveries: readonly Delivery[]): Promise<readonly string[]> {
  const instances = deliveries.flatMap(({ registryId, instances: some }) => some.map((id) => ({ registry: registryId, id })));
  if (instances.length === 0) return [];
  const rows = await tables.$queryRaw<{ registry_id: string; is_new: boolean }[]>`
    INSERT INTO notification_instance AS i (registry_id, id)
    SELECT DISTINCT t.registry, t.id FROM jsonb_to_recordset(${JSON.stringify(instances)}::jsonb) AS t (registry uuid, id text) ORDER BY 1, 2
    ON CONFLICT (registry_id, id) DO UPDATE SET last_heard_at = greatest(i.last_heard_at, now())
    RETURNING i.registry_id, (xmax = 0) AS is_new`;
  return [...new Set(rows.filter(({ is_new: isNew }) => isNew).map(({ registry_id: registryId }) => registryId))];
}

/** Gives pulls of what is not known to be there, and of what somebody else writes just now: those are to be asked about. */
async function notePulls(tables: Tables, told: readonly TakenTold[]): Promise<readonly TakenTold[]> {
  const pulls = told.filter(({ what, digest }) => what === 'pulled' && digest !== undefined);
  if (pulls.length === 0) return [];
  const rows = pulls.map((one) => ({ ...placeOf(one), digest: hexOf(one) }));
  const noted = await tables.$queryRaw<{ registry_id: string; repository: string; digest: string }[]>`
    WITH pulled AS (
      SELECT DISTINCT t.registry, t.repository, decode(t.digest, 'hex') AS digest
      FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS t (registry uuid, repository text, digest text)
    ), open AS (
      SELECT p.registry_id, p.repository, p.digest FROM placement p
        JOIN pulled u ON u.registry = p.registry_id AND u.repository = p.repository AND u.digest = p.digest
      WHERE p.seen_until IS NULL FOR NO KEY UPDATE OF p SKIP LOCKED
    )
    UPDATE placement p SET last_pulled_at = greatest(p.last_pulled_at, now()) FROM open o
    WHERE p.registry_id = o.registry_id AND p.repository = o.repository AND p.digest = o.digest AND p.seen_until IS NULL
    RETURNING p.registry_id, p.repository, encode(p.digest, 'hex') AS digest`;
  const known = new Set(noted.map(({ registry_id: registryId, repository, digest }) => `${registryId} ${repository} ${digest}`));
  return pulls.filter((one) => !known.has(`${one.registryId} ${one.repository} ${hexOf(one)}`));
}

function placeOf({ registryId, repository }: TakenTold) {
  return { registry: registryId, repository };
}

/** Of a pull only the digest is of interest: the tag may name another one by now. */
function referencesOf({ what, digest, tag }: TakenTold): readonly string[] {
  return [digest, what === 'pulled' ? undefined : tag].filter((reference) => reference !== undefined);
}

function hexOf({ digest }: TakenTold): string {
  return digest === undefined ? '' : Buffer.from(digestToBytes(digest)).toString('hex');
}

function idsOf(deliveries: readonly Delivery[]): readonly string[] {
  return [...new Set(deliveries.map(({ registryId }) => registryId))];
}
