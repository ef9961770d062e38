import { type IdSource, uuidV7 } from '@waybill/kernel';
import { type Digest, digestFromBytes, isDigest, type RepositoryName, type Tag } from '@waybill/oci-model';
import type { Database } from '../database.js';
import { Prisma } from '../generated/client.js';
import { noteGap } from './note-gap.js';
import { ReferenceRecords } from './reference-records.js';
import { settleReferences } from './settle-references.js';

/** A tag or digest that a registry told of. */
export interface Hint {
  readonly reference: string;
  readonly pushedAt: Date | undefined;
  readonly pulledAt: Date | undefined;
  readonly deletedAt: Date | undefined;
  /** Of a tag what it was pushed on last, as far as that was told. */
  readonly digest: Digest | undefined;
  readonly version: bigint;
  readonly attempts: number;
}

/** What one worker asks a registry about, of one repository. */
export interface ClaimedHints {
  readonly registry: { readonly id: string; readonly name: string; readonly address: string | undefined };
  readonly repository: RepositoryName;
  readonly hints: readonly Hint[];
}

/** What is to be asked, and where it is written down. */
export interface HintedLook {
  readonly tags: readonly Tag[];
  readonly digests: readonly Digest[];
  /** Of the digests, those that are said to be gone. */
  readonly deleted: ReadonlySet<Digest>;
  /** The database's clock before anything was asked. */
  readonly askedAt: Date;
  readonly records: ReferenceRecords;
}

/** What the registry said; what is in neither could not be asked. */
export interface FoundReferences {
  /** What tags name; undefined for one that is not there. */
  readonly tags: ReadonlyMap<Tag, Digest | undefined>;
  /** Whether manifests are there. */
  readonly digests: ReadonlyMap<Digest, boolean>;
}

export interface NotificationHintsOptions {
  /** How long a worker that says nothing keeps what it took. */
  readonly leaseMs: number;
}

/** References that are asked about together. */
const atOnce = 100;
/** Tags that named a manifest that is gone: they are asked about too. */
const maxTagsOfDeleted = 100;
/** The wait before the second attempt, doubled with each further one. After the last, crawls are left to find what there is. */
const retry = { afterMs: 5_000, maxMs: 600_000, attempts: 10 } as const;

/** What registries told of and nobody has asked them about yet. */
export class NotificationHints {
  readonly #database: Database;
  readonly #leaseMs: number;
  readonly #ids: IdSource;

  constructor(database: Database, { leaseMs }: NotificationHintsOptions, ids: IdSource = uuidV7) {
    this.#database = database;
    this.#leaseMs = leaseMs;
    this.#ids = ids;
  }

  /** Takes what waits longest at one of these locations, and what else is due of the same repository; undefined when nothing is. */
  async claim(locations: readonly string[] | 'all'): Promise<ClaimedHints | undefined> {
    const at = locations === 'all' ? Prisma.sql`true` : Prisma.sql`h.location = ANY(${[...locations]}::text[])`;
    const rows = await this.#database.tables.$queryRaw<HintRow[]>`
      WITH first AS (
        SELECT h.registry_id, h.repository FROM notification_hint h JOIN registry r ON r.id = h.registry_id
        WHERE h.due_at <= now() AND r.replaced_at IS NULL AND ${at}
        ORDER BY h.due_at LIMIT 1 FOR UPDATE OF h SKIP LOCKED
      ), taken AS (
        SELECT h.registry_id, h.repository, h.reference
        FROM notification_hint h JOIN first USING (registry_id, repository)
        WHERE h.due_at <= now() ORDER BY h.reference LIMIT ${atOnce} FOR UPDATE OF h SKIP LOCKED
      )
      UPDATE notification_hint h SET due_at = now() + ${this.#leaseMs} * interval '1 millisecond', attempts = h.attempts + 1
      FROM taken t, registry r
      WHERE h.registry_id = t.registry_id AND h.repository = t.repository AND h.reference = t.reference AND r.id = h.registry_id
      RETURNING r.id, r.name, r.address, h.repository, h.reference, h.pushed_at, h.pulled_at, h.deleted_at, h.digest, h.version, h.attempts`;
    const [first] = rows;
    if (first === undefined) return undefined;
    const { id, name, address, repository } = first;
    return { registry: { id, name, address: address ?? undefined }, repository, hints: rows.map(toHint) };
  }

  /** What is to be asked of the registry: also the tags that named what is said to be gone. */
  async beginLook({ registry, repository, hints }: ClaimedHints): Promise<HintedLook> {
    const { tables } = this.#database;
    await tables.$executeRaw`
      INSERT INTO repository (registry_id, name) VALUES (${registry.id}::uuid, ${repository}) ON CONFLICT (registry_id, name) DO NOTHING`;
    const [row] = await tables.$queryRaw<{ id: bigint; asked_at: string; now: Date }[]>`
      SELECT id, clock_timestamp()::text AS asked_at, clock_timestamp() AS now FROM repository WHERE registry_id = ${registry.id}::uuid AND name = ${repository}`;
    if (row === undefined) throw new Error(`there is no repository ${repository}`);
    const digests = hints.flatMap(({ reference }) => (isDigest(reference) ? [reference] : []));
    const deleted = hints.flatMap(({ reference, deletedAt }) => (isDigest(reference) && deletedAt !== undefined ? [reference] : []));
    const tagsOfDeleted = await this.#tagsOf(row.id, deleted);
    const tags = hints.flatMap(({ reference }) => (isDigest(reference) ? [] : [reference as Tag]));
    const at = { registryId: registry.id, repository, repositoryId: row.id, askedAt: row.asked_at };
    return {
      tags: [...new Set([...tags, ...tagsOfDeleted])],
      digests,
      deleted: new Set(deleted),
      askedAt: row.now,
      records: new ReferenceRecords(this.#database, { ...at, lookId: this.#ids.next() }),
    };
  }

  /** Writes what was found. What was told of again meanwhile, or could not be asked, is asked about another time. */
  async settle(claimed: ClaimedHints, look: HintedLook, found: FoundReferences): Promise<void> {
    await settleReferences(this.#database, { claimed, at: look.records.at, found });
    const isFound = ({ reference }: Hint): boolean => found.tags.has(reference as Tag) || found.digests.has(reference as Digest);
    await this.#end(claimed, claimed.hints.filter(isFound));
    await this.putOff({ ...claimed, hints: claimed.hints.filter((hint) => !isFound(hint)) });
  }

  /** Nothing could be asked now. What was tried often enough is given up: of a pull, nobody knows then what it was of. */
  async putOff(claimed: ClaimedHints): Promise<void> {
    const hopeless = claimed.hints.filter(({ attempts }) => attempts >= retry.attempts);
    const others = claimed.hints.filter(({ attempts }) => attempts < retry.attempts);
    await this.#database.transaction(async (tables) => {
      for (const { reference, attempts } of others) {
        const waitMs = Math.min(retry.afterMs * 2 ** (attempts - 1), retry.maxMs);
        await tables.$executeRaw`
          UPDATE notification_hint SET due_at = now() + ${waitMs} * interval '1 millisecond' WHERE ${heldHint(claimed, reference, attempts)}`;
      }
      if (hopeless.some(({ pulledAt }) => pulledAt !== undefined)) await noteGap(tables, [claimed.registry.id], 'overflow');
    });
    await this.#end(claimed, hopeless);
  }

  /** Each in a statement of its own, so that none waits for another in a circle. */
  async #end(claimed: ClaimedHints, hints: readonly Hint[]): Promise<void> {
    const { tables } = this.#database;
    for (const { reference, attempts, version } of hints) {
      const held = heldHint(claimed, reference, attempts);
      const ended = await tables.$executeRaw`DELETE FROM notification_hint WHERE ${held} AND version = ${version}`;
      if (ended === 0) await tables.$executeRaw`UPDATE notification_hint SET due_at = now(), attempts = 0 WHERE ${held}`;
    }
  }

  async #tagsOf(repositoryId: bigint, digests: readonly Digest[]): Promise<readonly Tag[]> {
    if (digests.length === 0) return [];
    const rows = await this.#database.tables.$queryRaw<{ name: Tag }[]>`
      SELECT t.name FROM tag t
      WHERE t.repository_id = ${repositoryId} AND t.gone_at IS NULL AND digest_text(t.digest) = ANY(${[...digests]}::text[])
      LIMIT ${maxTagsOfDeleted}`;
    return rows.map(({ name }) => name);
  }
}

/** While nobody else has taken it. */
function heldHint({ registry, repository }: ClaimedHints, reference: string, attempts: number): Prisma.Sql {
  return Prisma.sql`registry_id = ${registry.id}::uuid AND repository = ${repository} AND reference = ${reference} AND attempts = ${attempts}`;
}

interface HintRow {
  readonly id: string;
  readonly name: string;
  readonly address: string | null;
  readonly repository: RepositoryName;
  readonly reference: string;
  readonly pushed_at: Date | null;
  readonly pulled_at: Date | null;
  readonly deleted_at: Date | null;
  readonly digest: Uint8Array | null;
  readonly version: bigint;
  readonly attempts: number;
}

function toHint(row: HintRow): Hint {
  return {
    reference: row.reference,
    pushedAt: row.pushed_at ?? undefined,
    pulledAt: row.pulled_at ?? undefined,
    deletedAt: row.deleted_at ?? undefined,
    digest: row.digest === null ? undefined : digestFromBytes(row.digest),
    version: row.version,
    attempts: row.attempts,
  };
}
