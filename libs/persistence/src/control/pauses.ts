import { PromotionError } from '@waybill/promotion';
import { type IdempotentRequest, storeAnswer, type StoredAnswer } from '../access/idempotency-keys.js';
import { type Database, rollBack, type Tables, undefinedWhenRolledBack } from '../database.js';
import { notify } from '../notify.js';
import type { Decision } from './decision.js';

/** What a pause covers. */
export type PauseScope =
  { readonly scope: 'global' } | { readonly scope: 'path'; readonly name: string } | { readonly scope: 'registry'; readonly name: string };

export type NewPause = PauseScope & { readonly id: string; readonly by: string; readonly reason: string };

/** A pause as it is kept. */
export interface PauseRow {
  readonly id: string;
  readonly scope: string;
  /** Empty where everything is meant. */
  readonly name: string;
  readonly reason: string;
  readonly pausedBy: string;
  readonly pausedAt: Date;
  readonly resumedBy: string | null;
  readonly resumedAt: Date | null;
  readonly resumeReason: string | null;
}

export interface PausePage {
  /** Ids sort by the time they were made: the newest first. */
  readonly before?: string;
  readonly limit: number;
  /** Those too that were resumed. */
  readonly isHistory: boolean;
}

/** Freezes: what is paused is neither begun nor tagged until it is resumed. */
export class Pauses {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * One transaction with the answer to the request; undefined, and nothing done, when the request's claim was taken over meanwhile.
   * @throws PromotionError `already-paused`, with the id of the pause that covers the same
   */
  async create(
    pause: NewPause,
    request: { readonly request: IdempotentRequest; readonly token: string; readonly answerOf: (pause: PauseRow) => StoredAnswer },
  ): Promise<StoredAnswer | undefined> {
    return this.#database
      .transaction(async (tables) => {
        const answer = request.answerOf(await insert(tables, pause));
        if (!(await storeAnswer(tables, request.request, request.token, answer))) rollBack();
        return answer;
      })
      .catch(undefinedWhenRolledBack);
  }

  async get(id: string): Promise<PauseRow | undefined> {
    return (await this.#database.tables.pause.findUnique({ where: { id } })) ?? undefined;
  }

  list({ before, limit, isHistory }: PausePage): Promise<PauseRow[]> {
    return this.#database.tables.pause.findMany({
      where: { ...(before === undefined ? {} : { id: { lt: before } }), ...(isHistory ? {} : { resumedAt: null }) },
      orderBy: { id: 'desc' },
      take: limit,
    });
  }

  /**
   * Ends a pause; one that has ended stays as it is, and so does that of a collection. Workers are told, and wake what it held.
   * Undefined when there is none.
   */
  async resume(id: string, { by, reason }: Decision): Promise<PauseRow | undefined> {
    return this.#database.transaction(async (tables) => {
      const resumed = await tables.$executeRaw`
        UPDATE pause SET resumed_by = ${by}::uuid, resumed_at = now(), resume_reason = ${reason ?? null}
        WHERE id = ${id}::uuid AND resumed_at IS NULL AND scope <> 'collection'`;
      if (resumed > 0) await notify(tables, 'pause');
      return (await tables.pause.findUnique({ where: { id } })) ?? undefined;
    });
  }
}

async function insert(tables: Tables, pause: NewPause): Promise<PauseRow> {
  const { id, scope, by, reason } = pause;
  const name = 'name' in pause ? pause.name : '';
  const made = await tables.$executeRaw`
    INSERT INTO pause (id, scope, name, reason, paused_by) VALUES (${id}::uuid, ${scope}, ${name}, ${reason}, ${by}::uuid)
    ON CONFLICT (scope, name) WHERE resumed_at IS NULL DO NOTHING`;
  if (made > 0) return tables.pause.findUniqueOrThrow({ where: { id } });
  const open = await tables.pause.findFirst({ where: { scope, name, resumedAt: null }, select: { id: true } });
  const what = name === '' ? 'everything' : `${scope} ${name}`;
  throw new PromotionError(`${what} is paused already${open === null ? '' : `, by pause ${open.id}`}`, {
    code: 'already-paused',
    operation: 'pause',
    details: { pause: open?.id },
  });
}
