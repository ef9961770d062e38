import { PromotionError } from '@waybill/promotion';
import { type IdempotentRequest, storeAnswer, type StoredAnswer } from '../access/idempotency-keys.js';
import { type Database, rollBack, type Tables, undefinedWhenRolledBack } from '../database.js';
import type { Prisma } from '../generated/client.js';
import { notify } from '../notify.js';
import type { StoredError } from '../run/stored-error.js';

/** How far a collection has come; the last three are ends. */
export type CollectionState = 'requested' | 'draining' | 'read-only' | 'collecting' | 'restarting' | 'complete' | 'failed' | 'refused';

/** A collection as it is asked for. */
export interface NewCollection {
  readonly id: string;
  /** Name of a local registry of the active topology. */
  readonly registry: string;
  readonly requestedBy: string;
  readonly reason: string;
  readonly isDryRun: boolean;
}

/** A collection as far as it has come; sizes in bytes. */
export interface CollectionRow extends NewCollection {
  readonly requestedAt: Date;
  readonly state: CollectionState;
  /** Copies that run still by then make it give up. */
  readonly drainUntil: Date | undefined;
  /** The registry's, since this collection raised it. */
  readonly epoch: number | undefined;
  readonly bytesBefore: number | undefined;
  /** Of a dry run, what would be left. */
  readonly bytesAfter: number | undefined;
  readonly blobs: number | undefined;
  readonly log: string | undefined;
  readonly error: StoredError | undefined;
  readonly startedAt: Date | undefined;
  readonly finishedAt: Date | undefined;
}

export interface CollectionPage {
  /** Ids sort by the time they were made: the newest first. */
  readonly before?: string;
  readonly limit: number;
}

/** Collections of local registries, as they are asked for and read. */
export class Collections {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * One transaction with the answer to the request; undefined, and nothing done, when the request's claim was taken over meanwhile.
   * @throws PromotionError `already-collecting`, with the id of the one that is unfinished; `topology-changed` when the name no
   * longer means a local registry
   */
  async create(
    collection: NewCollection,
    request: { readonly request: IdempotentRequest; readonly token: string; readonly answerOf: (row: CollectionRow) => StoredAnswer },
  ): Promise<StoredAnswer | undefined> {
    return this.#database
      .transaction(async (tables) => {
        const answer = request.answerOf(await insert(tables, collection));
        if (!(await storeAnswer(tables, request.request, request.token, answer))) rollBack();
        return answer;
      })
      .catch(undefinedWhenRolledBack);
  }

  async get(id: string): Promise<CollectionRow | undefined> {
    const row = await this.#database.tables.collection.findUnique({ where: { id }, include: withName });
    return row === null ? undefined : toCollection(row);
  }

  /** Of the registry that a name means now, the newest first. */
  async list(registry: string, { before, limit }: CollectionPage): Promise<CollectionRow[]> {
    const rows = await this.#database.tables.collection.findMany({
      where: { registry: { name: registry, replacedAt: null }, ...(before === undefined ? {} : { id: { lt: before } }) },
      include: withName,
      orderBy: { id: 'desc' },
      take: limit,
    });
    return rows.map(toCollection);
  }
}

async function insert(tables: Tables, { id, registry, requestedBy, reason, isDryRun }: NewCollection): Promise<CollectionRow> {
  const [found] = await tables.$queryRaw<{ made: boolean; unfinished: string | null }[]>`
    WITH wanted AS (
      SELECT id FROM registry WHERE name = ${registry} AND replaced_at IS NULL AND identity = 'local'
    ), made AS (
      INSERT INTO collection (id, registry_id, requested_by, reason, is_dry_run, state)
      SELECT ${id}::uuid, wanted.id, ${requestedBy}::uuid, ${reason}, ${isDryRun}, 'requested' FROM wanted
      ON CONFLICT (registry_id) WHERE finished_at IS NULL DO NOTHING
      RETURNING 1
    )
    SELECT EXISTS (SELECT 1 FROM made) AS made,
      (SELECT c.id FROM collection c WHERE c.registry_id = wanted.id AND c.finished_at IS NULL) AS unfinished
    FROM wanted`;
  if (found === undefined) throw notLocal(registry);
  if (!found.made) throw alreadyCollecting(registry, found.unfinished);
  await notify(tables, 'collection');
  return toCollection(await tables.collection.findUniqueOrThrow({ where: { id }, include: withName }));
}

function notLocal(registry: string): PromotionError {
  return new PromotionError(`${registry} was replaced or removed while the collection was recorded: repeat the request`, {
    code: 'topology-changed',
    operation: 'collect registry',
    retryable: true,
    details: { registry },
  });
}

function alreadyCollecting(registry: string, unfinished: string | null): PromotionError {
  const which = unfinished === null ? '' : `, by collection ${unfinished}`;
  return new PromotionError(`${registry} is being collected already${which}`, {
    code: 'already-collecting',
    operation: 'collect registry',
    details: { registry, ...(unfinished === null ? {} : { collection: unfinished }) },
  });
}

const withName = { registry: { select: { name: true } } } as const satisfies Prisma.CollectionInclude;

/** Words and errors were ours when they were stored. */
function toCollection(row: Prisma.CollectionGetPayload<{ include: typeof withName }>): CollectionRow {
  const { id, registry, requestedBy, requestedAt, reason, isDryRun, state, log, error } = row;
  return {
    id,
    registry: registry.name,
    requestedBy,
    requestedAt,
    reason,
    isDryRun,
    state: state as CollectionState,
    drainUntil: row.drainUntil ?? undefined,
    epoch: numberOr(row.epoch),
    bytesBefore: numberOr(row.bytesBefore),
    bytesAfter: numberOr(row.bytesAfter),
    blobs: numberOr(row.blobs),
    log: log ?? undefined,
    error: (error ?? undefined) as StoredError | undefined,
    startedAt: row.startedAt ?? undefined,
    finishedAt: row.finishedAt ?? undefined,
  };
}

function numberOr(value: bigint | null): number | undefined {
  return value === null ? undefined : Number(value);
}
