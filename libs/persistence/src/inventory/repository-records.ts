import {
  type CrawlKind,
  type KnownRepository,
  type LookEnd,
  type ManifestFacts,
  type ManifestStatus,
  type Problem,
  type RepositoryRecords,
  type TagChanges,
  type Unread,
} from '@waybill/inventory';
import { type Digest, digestFromBytes, digestToBytes, manifestMediaTypes, type RepositoryName, type Tag } from '@waybill/oci-model';
import type { Database, Tables } from '../database.js';
import { Prisma } from '../generated/client.js';
import type { Turns } from '../run/turns.js';
import type { CrawlLease } from './crawl-lease.js';
import { keepManifests, keepPlaces } from './keep-manifests.js';
import { manifestStatuses, placementHere } from './manifest-statuses.js';
import { noteUnreadable } from './note-unreadable.js';
import { ofThisRepository } from './records-trouble.js';
import { stepsOfLook } from './settle-look.js';
import { partsOf, settleTags } from './settle-tags.js';
import { unreadPlaces } from './unread-places.js';

/** One repository that is looked at under a lease, of a crawl or of whoever else has to know what is there now. */
export interface LookedAt {
  readonly kind: CrawlKind;
  readonly registryId: string;
  readonly repositoryId: bigint;
  readonly repository: RepositoryName;
  /** Names the look where it saw something. */
  readonly lease: Pick<CrawlLease, 'crawlId'>;
  /** Of what the look asks of the database. */
  readonly turns: Turns;
  /** Holds the lease to the end of the transaction; rejects with `lease-lost` when it is another worker's. */
  readonly hold: (tables: Tables) => Promise<void>;
  /** In the transaction in which the look ends. */
  readonly ended: (tables: Tables, end: LookEnd) => Promise<void>;
}

/** A look at one repository in PostgreSQL; what it writes is fenced by the lease that it is under. */
export class RepositoryRecordsStore implements RepositoryRecords {
  readonly #database: Database;
  readonly #at: LookedAt;
  /** The database's clock before anything was asked of the registry, as exact as it tells it. */
  #askedAt = '-infinity';
  #hasChanged = false;

  constructor(database: Database, at: LookedAt) {
    this.#database = database;
    this.#at = at;
  }

  async known(): Promise<KnownRepository> {
    const { repositoryId } = this.#at;
    const [row] = await this.#read<{ asked_at: Date; exactly: string; suspect_since: Date | null }>(Prisma.sql`
      SELECT t.at AS asked_at, t.at::text AS exactly, r.suspect_since FROM repository r, (SELECT clock_timestamp() AS at) t WHERE r.id = ${repositoryId}`);
    const tags = await this.#read<{ name: Tag; digest: Uint8Array; missing_since: Date | null }>(Prisma.sql`
      SELECT name, digest, missing_since FROM tag WHERE repository_id = ${repositoryId} AND gone_at IS NULL`);
    if (row === undefined) throw new Error(`there is no repository ${repositoryId}`);
    this.#askedAt = row.exactly;
    return {
      askedAt: row.asked_at,
      suspectSince: row.suspect_since ?? undefined,
      tags: tags.map(({ name, digest, missing_since: missingSince }) => ({
        name,
        digest: digestFromBytes(digest),
        missingSince: missingSince ?? undefined,
      })),
    };
  }

  async statusOf(digests: readonly Digest[]): Promise<readonly ManifestStatus[]> {
    return await this.#at.turns.take(() => manifestStatuses(this.#database.tables, this.#at, digests));
  }

  async unreadManifests({ which, limit }: { readonly which: Unread; readonly limit: number }): Promise<readonly Digest[]> {
    const { registryId, repository, repositoryId } = this.#at;
    const tried = Prisma.sql`SELECT digest FROM unreadable_manifest WHERE repository_id = ${repositoryId} LIMIT ${limit}`;
    const untried = Prisma.sql`
      SELECT DISTINCT t.digest FROM tag t
      WHERE t.repository_id = ${repositoryId} AND t.gone_at IS NULL AND NOT EXISTS (SELECT 1 FROM manifest m WHERE m.digest = t.digest)
        AND NOT EXISTS (SELECT 1 FROM unreadable_manifest u WHERE u.repository_id = ${repositoryId} AND u.digest = t.digest)
      LIMIT ${limit}`;
    const placed = Prisma.sql`SELECT p.digest FROM ${unreadPlaces(registryId, repository)} LIMIT ${limit}`;
    return await this.#digests({ tried, untried, placed }[which]);
  }

  async keepManifests(manifests: readonly ManifestFacts[]): Promise<void> {
    await this.#write((tables) => keepManifests(tables, this.#at, manifests));
  }

  async keepPlaces(digests: readonly Digest[]): Promise<void> {
    await this.#write((tables) => keepPlaces(tables, this.#at, digests));
  }

  async noteUnreadable(digest: Digest, problem: Problem): Promise<void> {
    await this.#write((tables) => noteUnreadable(tables, { ...this.#at, digest, problem }));
  }

  /** Begins anywhere, so that all have their turn where there are more than the limit. */
  async untagged(limit: number): Promise<readonly Digest[]> {
    const { registryId, repository, repositoryId } = this.#at;
    const from = Prisma.sql`decode(md5(random()::text), 'hex')`;
    return await this.#digests(Prisma.sql`
      WITH pivot AS MATERIALIZED (SELECT ${from} AS digest), loose AS (
        SELECT p.digest FROM ${placementHere(this.#at)}
          AND (EXISTS (SELECT 1 FROM manifest m WHERE m.digest = p.digest)
            OR EXISTS (SELECT 1 FROM content c WHERE c.digest = p.digest AND c.media_type = ANY(${[...manifestMediaTypes]}::text[])))
          AND NOT EXISTS (SELECT 1 FROM tag t WHERE t.digest = p.digest AND t.repository_id = ${repositoryId} AND t.gone_at IS NULL)
          AND NOT EXISTS (
            SELECT 1 FROM content_edge e JOIN placement q ON q.digest = e.parent
            WHERE e.child = p.digest AND e.kind = 'child' AND q.registry_id = ${registryId}::uuid AND q.repository = ${repository} AND q.seen_until IS NULL)
      )
      SELECT l.digest FROM loose l, pivot v ORDER BY (l.digest < v.digest), l.digest LIMIT ${limit}`);
  }

  async someManifests(limit: number): Promise<readonly Digest[]> {
    return await this.#digests(Prisma.sql`
      SELECT p.digest FROM ${placementHere(this.#at)} AND EXISTS (SELECT 1 FROM manifest m WHERE m.digest = p.digest) LIMIT ${limit}`);
  }

  async removePlaces(digests: readonly Digest[]): Promise<void> {
    const { registryId, repository } = this.#at;
    await this.#write(async (tables) => {
      await tables.$executeRaw`
        UPDATE placement SET seen_until = now()
        WHERE registry_id = ${registryId}::uuid AND repository = ${repository} AND seen_until IS NULL
          AND seen_from <= ${this.#askedAt}::timestamptz AND digest = ANY(${digests.map(digestToBytes)}::bytea[])`;
    });
  }

  async settleTags(changes: TagChanges): Promise<void> {
    const { tagged, gone, missing, back } = changes;
    if (tagged.size + gone.length + missing.length + back.length === 0) return;
    for (const some of partsOf(changes)) {
      await this.#write((tables) => settleTags(tables, { ...this.#at, askedAt: this.#askedAt }, some));
    }
  }

  async settle(end: LookEnd): Promise<void> {
    const look = { ...this.#at, askedAt: this.#askedAt, hasChanged: this.#hasChanged };
    for (const step of stepsOfLook(look, end)) await this.#write(step);
  }

  async #write(work: (tables: Tables) => Promise<void>): Promise<void> {
    this.#hasChanged = true;
    const { hold, turns } = this.#at;
    const underLease = async (tables: Tables): Promise<void> => {
      await hold(tables);
      await work(tables);
    };
    try {
      await turns.take(() => this.#database.transaction(underLease));
    } catch (error) {
      throw ofThisRepository(error, this.#at.repository);
    }
  }

  async #digests(query: Prisma.Sql): Promise<readonly Digest[]> {
    const rows = await this.#read<{ digest: Uint8Array }>(query);
    return rows.map(({ digest }) => digestFromBytes(digest));
  }

  #read<Row>(query: Prisma.Sql): Promise<Row[]> {
    return this.#at.turns.take(() => this.#database.tables.$queryRaw<Row[]>(query));
  }
}
