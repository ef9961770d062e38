import { type Digest, digestFromBytes, digestToBytes, type RepositoryName, type Tag } from '@waybill/oci-model';
import type { StoredAnswer } from '../access/idempotency-keys.js';
import type { Decision } from '../control/decision.js';
import type { Database, Tables } from '../database.js';
import { Prisma } from '../generated/client.js';
import { notify } from '../notify.js';
import type { StoredError } from '../run/stored-error.js';
import { answered, type ClaimedRequest } from './answered.js';
import { recordAct } from './retention-record.js';

export type TrashRequestKind = 'restore' | 'purge';
export type TrashRequestState = 'requested' | 'running' | 'succeeded' | 'partial' | 'failed';

/** What is to be brought back or deleted for good. */
export interface AskedOfTrash {
  readonly registry: string;
  /** Absent: every repository of the registry, or those of the run. */
  readonly repository?: RepositoryName;
  readonly digest?: Digest;
  readonly tag?: Tag;
  readonly run?: string;
}

export interface NewTrashRequest extends Required<Decision> {
  readonly id: string;
  readonly asked: AskedOfTrash;
}

/** What became of a tag: it names the manifest again, or something else by now, which is left. */
export type TagReturn = { readonly tag: Tag } & ({ readonly outcome: 'back' } | { readonly outcome: 'moved'; readonly names: Digest });

/** What became of one manifest. */
export interface TrashItemRow {
  readonly repository: RepositoryName;
  readonly digest: Digest;
  readonly state: 'pending' | 'intended' | 'done' | 'failed';
  readonly tags: readonly TagReturn[];
  readonly error: StoredError | undefined;
}

export interface TrashRequestRow {
  readonly id: string;
  readonly kind: TrashRequestKind;
  readonly asked: AskedOfTrash;
  readonly requestedBy: string;
  readonly reason: string;
  readonly state: TrashRequestState;
  readonly error: StoredError | null;
  readonly requestedAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly done: number;
  readonly failed: number;
  readonly open: number;
}

export interface ItemPage {
  readonly after?: { readonly repository: string; readonly digest: Digest };
  readonly limit: number;
}

/** Prepares what a request is about, in its transaction: gives how many items there are. */
export type FindItems = (tables: Tables, request: NewTrashRequest & { readonly registryId: string }) => Promise<number>;

/** What people asked for at once: as it is recorded and read. */
export class TrashRequests {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * One transaction with the answer to the request; undefined, and nothing done, when its claim was taken over meanwhile. Without
   * items it has ended as soon as it is made. Rejects as `find` does.
   */
  create(
    kind: TrashRequestKind,
    request: NewTrashRequest,
    { find, ...claim }: ClaimedRequest<TrashRequestRow> & { readonly find: FindItems },
  ): Promise<StoredAnswer | undefined> {
    return answered(this.#database, claim, async (tables) => {
      const { id, asked, by, reason } = request;
      const registryId = await insert(tables, kind, request);
      const items = await find(tables, { ...request, registryId });
      if (items === 0) {
        await tables.$executeRaw`UPDATE retention_request SET state = 'succeeded', finished_at = now() WHERE id = ${id}::uuid`;
      }
      await recordAct(tables, { act: kind === 'restore' ? 'restored' : 'purged', subject: id, by, reason, body: asked });
      await notify(tables, 'retention');
      const [row] = await readRequests(tables, Prisma.sql`q.id = ${id}::uuid`, 1);
      if (row === undefined) throw new Error('the request was not kept');
      return row;
    });
  }

  async get(kind: TrashRequestKind, id: string): Promise<TrashRequestRow | undefined> {
    const [row] = await readRequests(this.#database.tables, Prisma.sql`q.id = ${id}::uuid AND q.kind = ${kind}`, 1);
    return row;
  }

  /** The newest first. */
  list(kind: TrashRequestKind, { before, limit }: { readonly before?: string; readonly limit: number }): Promise<TrashRequestRow[]> {
    const older = before === undefined ? Prisma.sql`true` : Prisma.sql`q.id < ${before}::uuid`;
    return readRequests(this.#database.tables, Prisma.sql`q.kind = ${kind} AND ${older}`, limit);
  }

  /** By repository and digest. */
  async items(id: string, { after, limit }: ItemPage): Promise<TrashItemRow[]> {
    const from =
      after === undefined ? Prisma.sql`true` : Prisma.sql`(repository, digest) > (${after.repository}, ${digestToBytes(after.digest)})`;
    const rows = await this.#database.tables.$queryRaw<RawItem[]>`
      SELECT repository, digest, state, outcome, error FROM retention_request_item
      WHERE request_id = ${id}::uuid AND ${from} ORDER BY repository, digest LIMIT ${limit}`;
    return rows.map(({ repository, digest, state, outcome, error }) => ({
      repository,
      digest: digestFromBytes(digest),
      state,
      tags: outcome.tags ?? [],
      error: error ?? undefined,
    }));
  }
}

interface RawItem {
  readonly repository: RepositoryName;
  readonly digest: Uint8Array;
  readonly state: TrashItemRow['state'];
  readonly outcome: { readonly tags?: readonly TagReturn[] };
  readonly error: StoredError | null;
}

async function insert(tables: Tables, kind: TrashRequestKind, { id, asked, by, reason }: NewTrashRequest): Promise<string> {
  const where =
    asked.run === undefined
      ? Prisma.sql`name = ${asked.registry} AND replaced_at IS NULL`
      : Prisma.sql`id = (SELECT registry_id FROM retention_run WHERE id = ${asked.run}::uuid)`;
  const [row] = await tables.$queryRaw<{ registry_id: string }[]>`
    INSERT INTO retention_request (id, kind, registry_id, asked, requested_by, reason, state)
    SELECT ${id}::uuid, ${kind}, registry.id, ${JSON.stringify(asked)}::jsonb, ${by}::uuid, ${reason}, 'requested' FROM registry WHERE ${where}
    RETURNING registry_id`;
  if (row === undefined) throw new Error(`there is no registry ${asked.registry}`);
  return row.registry_id;
}

async function readRequests(tables: Tables, condition: Prisma.Sql, limit: number): Promise<TrashRequestRow[]> {
  return tables.$queryRaw<TrashRequestRow[]>`
    SELECT q.id, q.kind, q.asked, q.requested_by AS "requestedBy", q.reason, q.state, q.error, q.requested_at AS "requestedAt",
      q.started_at AS "startedAt", q.finished_at AS "finishedAt", n.done, n.failed, n.open
    FROM retention_request q CROSS JOIN LATERAL (
      SELECT count(*) FILTER (WHERE i.state = 'done')::int AS done, count(*) FILTER (WHERE i.state = 'failed')::int AS failed,
        count(*) FILTER (WHERE i.settled_at IS NULL)::int AS open
      FROM retention_request_item i WHERE i.request_id = q.id
    ) n
    WHERE ${condition} ORDER BY q.id DESC LIMIT ${limit}`;
}
